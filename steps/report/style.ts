/** Style of the report page: system fonts, light and dark. */
export const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c1b22, #ece9f1); --soft: light-dark(#6a6675, #a49fb0);
  --ground: light-dark(#fbfaf8, #17161b); --card: light-dark(#fff, #201f26); --line: light-dark(#e4e1ea, #36343e);
  --plus: light-dark(#d9480f, #ff8a4c); --minus: light-dark(#1c6fb8, #5aaef2); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; }
header p { margin: .25rem 0 1.25rem; color: var(--soft); }
table.heat { border-collapse: separate; border-spacing: 2px; font-variant-numeric: tabular-nums; }
table.heat th { padding: .3rem .6rem; text-align: right; font-weight: 500; }
table.heat thead th { vertical-align: bottom; text-align: center; font-size: .85rem; }
table.heat td { padding: 0; }
table.heat button { width: 100%; min-width: 6.5rem; padding: .55rem .4rem; border: 2px solid transparent; border-radius: 4px;
  font: inherit; color: inherit; cursor: pointer; }
.plus { background: color-mix(in srgb, var(--plus) calc(var(--share) * 85%), var(--card)); }
.minus { background: color-mix(in srgb, var(--minus) calc(var(--share) * 85%), var(--card)); }
td.highest button { font-weight: 700; }
table.heat button:hover, table.heat button[aria-pressed="true"] { border-color: var(--ink); }
#controls { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end; margin: 1.75rem 0 .75rem; }
#controls label { font-size: .85rem; color: var(--soft); }
#controls select { display: block; margin-top: .15rem; padding: .3rem .5rem; font: inherit; color: var(--ink);
  background: var(--card); border: 1px solid var(--line); border-radius: 4px; }
#controls output { color: var(--soft); font-size: .85rem; padding-bottom: .35rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; margin-bottom: .6rem; }
article header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .85rem; color: var(--soft); }
article header b { color: var(--ink); }
article .prompt { margin: .35rem 0; color: var(--soft); font-style: italic; }
article .answer { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.answer span { border-radius: 2px; }
button.more { padding: .5rem 1rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
`
