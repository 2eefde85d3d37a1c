// A small writer of line charts as SVG: panels below one another, over a common horizontal axis.

const WIDTH = 960;
const PANEL = 190;
const LEFT = 70;
const RIGHT = 20;
const TOP = 54;
const GAP = 46;
const COLOURS = ['#1f6fb2', '#d1672a', '#2e8b57', '#8a4fb0', '#b03a48', '#6b6b6b'];

/**
 * `panels`: `[{title, series: [{name, points: [[x, y], ...]}]}]`. Points whose y is not finite are left out.
 */
export function lineCharts({ title, subtitle, xTitle, panels }) {
  const shown = panels.filter(({ series }) => series.some(({ points }) => finite(points).length > 0));
  const xMax = niceMaximum(
    Math.max(1, ...shown.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([x]) => x)))),
  );
  const height = TOP + shown.length * (PANEL + GAP) + 10;
  const body = shown.map((panel, index) => drawPanel(panel, TOP + 20 + index * (PANEL + GAP), xMax, xTitle));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="16" font-weight="bold">${escapeText(title)}</text>`,
    `<text x="${LEFT}" y="42" fill="#555">${escapeText(subtitle)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, series }, top, xMax, xTitle) {
  const yMax = niceMaximum(Math.max(1, ...series.flatMap(({ points }) => finite(points).map(([, y]) => y))));
  const x = (value) => LEFT + (value / xMax) * (WIDTH - LEFT - RIGHT);
  const y = (value) => top + PANEL - 20 - (value / yMax) * (PANEL - 40);
  const lines = [];
  for (let step = 0; step <= 4; step++) {
    const value = (yMax * step) / 4;
    lines.push(
      `<line x1="${LEFT}" y1="${y(value)}" x2="${WIDTH - RIGHT}" y2="${y(value)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end" fill="#555">${label(value)}</text>`,
      `<text x="${x((xMax * step) / 4)}" y="${top + PANEL}" text-anchor="middle" fill="#555">${label((xMax * step) / 4)}</text>`,
    );
  }
  const legend = series.map(
    ({ name }, index) =>
      `<text x="${WIDTH - RIGHT - (series.length - index) * 90}" y="${top + 8}" fill="${COLOURS[index % COLOURS.length]}">${escapeText(name)}</text>`,
  );
  const drawn = series.map(({ points }, index) => {
    const path = finite(points).map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`);
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.4"/>`;
  });
  return [
    `<text x="${LEFT}" y="${top + 8}" font-weight="bold">${escapeText(title)}</text>`,
    ...lines,
    ...legend,
    ...drawn,
    `<text x="${WIDTH - RIGHT}" y="${top + PANEL + 16}" text-anchor="end" fill="#555">${escapeText(xTitle)}</text>`,
  ].join('\n');
}

const finite = (points) => points.filter(([, y]) => Number.isFinite(y));

/** The least of 1, 2, 2.5, 4, 5, 8, 10 times a power of ten that is not below a value: its quarters are round. */
function niceMaximum(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10].find((factor) => factor * power >= value) * power;
}

const label = (value) => (Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1));

const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
