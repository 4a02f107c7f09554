const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = 'January February March April May June July August September October November December'.split(' ')

const two = (value: number): string => String(value).padStart(2, '0')
const start = (name: string | undefined): string => (name ?? '').slice(0, 3)

/** What a directive of Python's `strftime` comes to at midnight of a day, in the C locale. */
const directives: Readonly<Record<string, (day: Date) => string>> = {
  a: (day) => start(days[day.getUTCDay()]),
  A: (day) => days[day.getUTCDay()] as string,
  b: (day) => start(months[day.getUTCMonth()]),
  B: (day) => months[day.getUTCMonth()] as string,
  d: (day) => two(day.getUTCDate()),
  j: (day) => String((day.getTime() - Date.UTC(day.getUTCFullYear(), 0)) / 86_400_000 + 1).padStart(3, '0'),
  m: (day) => two(day.getUTCMonth() + 1),
  y: (day) => two(day.getUTCFullYear() % 100),
  Y: (day) => String(day.getUTCFullYear()).padStart(4, '0'),
  H: () => '00',
  I: () => '12',
  M: () => '00',
  S: () => '00',
  p: () => 'AM',
  '%': () => '%',
}

/** The day that it is here, such as 2026-01-31. Not by `toLocaleDateString`: it loads its tables, 16 ms of every plan. */
export function dayHere(now: Date): string {
  return [String(now.getFullYear()), two(now.getMonth() + 1), two(now.getDate())].join('-')
}

/** Whether a text such as 2026-01-31 names a day that there is. */
export function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

/**
 * The day `date`, such as 2026-01-31, as Python's `strftime` writes it.
 * @throws Error where there is no date, or the format has a directive that is not here.
 */
export function strftime(date: string | null, format: string): string {
  if (date === null) throw new Error('a date is asked for, and none is named')
  const day = new Date(`${date}T00:00:00Z`)
  return format.replaceAll(/%(.)/g, (whole, directive: string) => {
    const write = directives[directive]
    if (!write) throw new Error(`the date is asked for as ${whole}, which is not known here`)
    return write(day)
  })
}
