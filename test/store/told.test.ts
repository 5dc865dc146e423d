import { afterReply, limitsTold, type Told } from '../../src/store/told.js';

describe("what a provider's headers told", () => {
  const both = afterReply(afterReply({}, 'big', { rpm: 50 }, 1_000), 'small', { rpm: 4_000, inputTpm: 9 }, 2_000);

  it('holds as the lowest of the models heard within a minute', () => {
    expect(limitsTold(both)).toEqual({ rpm: 50, inputTpm: 9 });
    const later = afterReply(both, 'small', { rpm: 4_000 }, 60_999);
    expect(limitsTold(later)).toEqual({ rpm: 50, inputTpm: 9 });
    expect(limitsTold(afterReply(later, 'small', { rpm: 4_000 }, 61_000))).toEqual({ rpm: 4_000, inputTpm: 9 });
  });

  it('stays while nothing is heard, keeps what a model is not told again, and no model for ever', () => {
    const late = afterReply(both, 'big', { outputTpm: 7 }, 900_000);
    expect(limitsTold(late)).toEqual({ rpm: 50, outputTpm: 7 });
    expect(Object.keys(late.models ?? {})).toEqual(['big']);
  });

  it('reads what was told before models were told apart', () => {
    const before: Told = { rpm: 90 };
    expect(limitsTold(before)).toEqual({ rpm: 90 });
    expect(limitsTold(afterReply(before, 'm', { inputTpm: 5 }, 1))).toEqual({ inputTpm: 5 });
  });
});
