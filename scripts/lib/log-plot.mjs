// A line plot with two logarithmic axes as SVG text.
const [width, height, left, right, top, bottom] = [760, 420, 64, 250, 16, 48]
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7']

/** `series`: `{ label, points: [x, y][] }`, every value above 0. */
export function logPlot({ x, y, series }) {
  const points = series.flatMap((each) => each.points)
  const xs = axis(points.map(([value]) => value))
  const ys = axis(points.map(([, value]) => value))
  const px = (value) => left + xs.share(value) * (width - left - right)
  const py = (value) => height - bottom - ys.share(value) * (height - top - bottom)
  const grid = [
    ...xs.ticks.map(
      (tick) => `${line(px(tick), top, px(tick), height - bottom)}${text(px(tick), height - bottom + 18, label(tick), 'middle')}`,
    ),
    ...ys.ticks.map((tick) => `${line(left, py(tick), width - right, py(tick))}${text(left - 8, py(tick) + 4, label(tick), 'end')}`),
  ]
  const places = spread(series.map((each) => py(each.points.at(-1)[1]) + 4))
  const curves = series.map((each, index) => {
    const path = each.points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(' ')
    const name = `<text x="${width - right + 10}" y="${places[index].toFixed(1)}" fill="${colours[index]}">${each.label}</text>`
    return `<polyline points="${path}" fill="none" stroke="${colours[index]}" stroke-width="2"/>${name}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${[...grid, ...curves].join('\n')}
${text((left + width - right) / 2, height - 10, x, 'middle')}
<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#444">${y}</text>
</svg>
`
}

/** Whole decades around the values; a value may stand a little outside. */
function axis(values) {
  const low = Math.floor(Math.log10(Math.min(...values)) + 0.02)
  const high = Math.ceil(Math.log10(Math.max(...values)) - 0.02)
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  return { ticks, share: (value) => (Math.log10(value) - low) / (high - low) }
}

/** Moves names apart that would lie on each other. */
function spread(places) {
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b])
  const moved = [...places]
  for (const [rank, index] of order.entries()) if (rank > 0) moved[index] = Math.max(moved[index], moved[order[rank - 1]] + 16)
  return moved
}

function label(value) {
  return value >= 1000 ? value.toLocaleString('en') : String(Number(value.toPrecision(1)))
}

function line(x1, y1, x2, y2) {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`
}

function text(x, y, content, anchor) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#444">${content}</text>`
}
