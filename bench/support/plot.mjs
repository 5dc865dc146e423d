// Horizontal bars as SVG, readable on light and dark pages.

const BAR = 18;
const GAP = 6;
const GROUP_GAP = 16;
const LEFT = 250;
const WIDTH = 760;
const RIGHT = 90;
const COLORS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#9c6b4e', '#97bbf5'];

const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const label = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });

/** `{title, unit, groups: [{label, bars: [{label, value}]}]}`; a bar's colour follows its label. */
export function plot({ title, unit, groups }) {
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.label)))];
  const parts = [text(12, 24, `${title} (${unit})`, 'font-weight="bold" font-size="15"')];
  let y = 44;
  for (const group of groups) {
    // Each group has a scale of its own: at 0 ms and at 1 s latency the figures differ a thousandfold.
    const most = Math.max(...group.bars.map(({ value }) => value), Number.MIN_VALUE);
    parts.push(text(12, y + 12, group.label, 'font-weight="bold"'));
    y += BAR + 2;
    for (const bar of group.bars) {
      const width = Math.max(1, (bar.value / most) * (WIDTH - LEFT - RIGHT));
      const color = COLORS[names.indexOf(bar.label) % COLORS.length];
      parts.push(
        text(LEFT - 8, y + 13, bar.label, 'text-anchor="end"'),
        `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${color}"/>`,
        text(LEFT + width + 6, y + 13, label(bar.value)),
      );
      y += BAR + GAP;
    }
    y += GROUP_GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="12">`,
    '<style>text{fill:#222}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>',
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function text(x, y, content, attributes = '') {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escape(content)}</text>`;
}
