import { signedHeaders } from '../../src/activities/webhook.js';

const message = {
  id: 'msg_loFOjxBNrRLzqYUf',
  timestamp: 1_731_705_121,
  body: '{"event_type":"ping","data":{"success":true}}',
};

test('signs as the Standard Webhooks specification does in its own example', () => {
  expect(signedHeaders(message, 'whsec_plJ3nmyCDGBKInavdOK15jsl')).toEqual({
    'webhook-id': message.id,
    'webhook-timestamp': '1731705121',
    'webhook-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
  });
});

test('a secret without its prefix is taken as it stands', () => {
  const raw = Buffer.from('plJ3nmyCDGBKInavdOK15jsl', 'base64').toString('latin1');
  expect(signedHeaders(message, 'a text')).not.toEqual(signedHeaders(message, raw));
});
