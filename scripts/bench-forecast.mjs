// `npm run -s bench:forecast`: prints `{forecast_s, calibrated_s, calibrated_at_half_s, measured_s, ratio}` of the
// quickstart in a store of its own that has learned this machine's rates from a slice of it; `ratio` is of the first. The
// slice's cells are not among those that the forecast is for. `calibrated`: from `dag calibrate` alone.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { dag } from './lib/measure.mjs'
import { at, main, setUp } from './lib/setup.mjs'

const whole = '    organisms: all\n'
const slice = '    organisms: [flattery]\n'

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    const workflow = readFileSync(at('workflows', 'quickstart.yaml'), 'utf8')
    if (!workflow.includes(whole)) throw new Error(`quickstart.yaml has not "${whole}"`)
    symlinkSync(at('datasets'), path.join(folder, 'datasets'))
    mkdirSync(path.join(folder, 'cache'))
    cpSync(at('cache', 'models'), path.join(folder, 'cache', 'models'), { recursive: true })
    mkdirSync(path.join(folder, 'workflows'))
    const write = (text) => writeFileSync(path.join(folder, 'workflows', 'quickstart.yaml'), text)
    const ask = (...args) => dag([...args, 'workflows/quickstart.yaml'], { cwd: folder })
    write(workflow)
    process.stderr.write('bench: this machine\n')
    ask('calibrate', '--out', 'here.json')
    write(workflow.replace(whole, slice))
    process.stderr.write('bench: one organism\n')
    ask('run', '--ui', 'json')
    write(workflow)
    const { forecast } = JSON.parse(ask('plan', '--json').stdout)
    const calibrated = JSON.parse(ask('plan', '--json', '--profile', 'here.json').stdout).forecast
    process.stderr.write(`bench: the rest, ${Math.round(forecast.seconds)} s from ${forecast.basis}\n`)
    const measured = ask('run', '--ui', 'json').ms / 1000
    const round = (value) => Math.round(value * 100) / 100
    const ratio = round(forecast.seconds / measured)
    const figures = {
      forecast_s: round(forecast.seconds),
      calibrated_s: calibrated.seconds,
      calibrated_at_half_s: calibrated.secondsAtHalf,
      measured_s: round(measured),
      ratio,
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
