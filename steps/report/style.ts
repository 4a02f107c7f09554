/** Style of the report page: system fonts, light and dark. */
export const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c1b22, #ece9f1); --soft: light-dark(#625e6d, #a9a4b5);
  --ground: light-dark(#fbfaf8, #17161b); --card: light-dark(#fff, #201f26); --line: light-dark(#e4e1ea, #36343e);
  --plus: light-dark(#e8590c, #d9580f); --minus: light-dark(#2b7fc9, #2f7fc4); --chosen: light-dark(#eeeaf6, #2c2936); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1.25rem 1.5rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; }
header p { margin: .25rem 0 1rem; color: var(--soft); }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
button { font: inherit; color: inherit; cursor: pointer; }
.soft { color: var(--soft); }
#chooser { display: flex; gap: .25rem 1rem; margin: 0 0 .75rem; padding: 0; border: 0; font-size: .95rem; }
#chooser label { line-height: 1.5rem; }
#chooser legend { float: left; margin-right: 1rem; padding: 0; font-size: .85rem; line-height: 1.3rem; color: var(--soft); }
#matrix { max-height: min(31rem, 60vh); max-width: max-content; overflow: auto; }
table.heat { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
table.heat th { padding: .1rem .6rem; font-weight: 500; text-align: right; white-space: nowrap; background: var(--ground); }
table.heat thead :is(th, td) { position: sticky; top: 0; z-index: 1; background: var(--ground); }
table.heat thead th { max-width: 9rem; padding: .3rem; font-size: .85rem; line-height: 1.25; text-align: center; vertical-align: bottom; white-space: normal; }
table.heat tbody th, table.heat thead td { position: sticky; left: 0; z-index: 1; }
table.heat thead td { z-index: 2; }
table.heat thead button { padding: 0; font: inherit; color: inherit; background: none; border: 0; }
table.heat thead button:hover { text-decoration: underline; }
table.heat [aria-sort] button::after { content: ' ▾'; }
table.heat td { padding: 0; }
table.heat td button { display: block; width: 100%; min-width: 5.5rem; padding: 0; background: none; border: 2px solid transparent; border-radius: 5px; }
table.heat .planted { border-bottom: 2px solid var(--ink); border-radius: 0; }
table.heat span { display: block; padding: .15rem .4rem; border-radius: 3px; }
body:has(#effects:checked, #among:checked) .means, body:not(:has(#effects:checked)) .effects, body:not(:has(#among:checked)) .among { display: none; }
.plus { background: color-mix(in srgb, var(--plus) calc(var(--share) * 75%), var(--card)); }
.minus { background: color-mix(in srgb, var(--minus) calc(var(--share) * 75%), var(--card)); }
span.highest { font-weight: 700; }
table.heat button:hover, table.heat button[aria-pressed="true"] { border-color: var(--ink); }
#told { margin-top: 1rem; }
#told div { max-height: 20rem; max-width: max-content; overflow: auto; }
#told table { border-collapse: collapse; font-size: .9rem; }
#told :is(th, td) { padding: .15rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; }
#told thead :is(th, td) { min-width: 0; position: sticky; top: 0; background: var(--ground); color: var(--soft); font-size: .85rem; }
#told tbody th { font-weight: 500; }
#told td { min-width: 11rem; }
#controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: 1rem 0 .75rem; }
#controls label { font-size: .85rem; color: var(--soft); min-width: 0; }
#controls :is(select, input) { display: block; max-width: 100%; margin-top: .15rem; padding: .3rem .5rem; font: inherit; font-size: .95rem; color: var(--ink);
  background: var(--card); border: 1px solid var(--line); border-radius: 4px; }
#controls .wide { flex: 1 1 12rem; max-width: 22rem; }
#controls :is(select, input) { height: 2.1rem; }
#controls .wide input { width: 100%; }
#controls output { color: var(--soft); font-size: .85rem; padding-bottom: .4rem; }
#answers { display: grid; grid-template-columns: minmax(18rem, 2fr) 3fr; gap: 1rem; height: max(30rem, calc(100vh - 7rem)); }
#list, #detail { overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
.space { position: relative; }
.row { position: absolute; left: 0; right: 0; display: grid; grid-template: "number name value" "number of of" / 3.2rem 1fr auto; align-content: center;
  gap: 0 .5rem; padding: 0 .75rem 0 0; border-bottom: 1px solid var(--line); line-height: 1.35; cursor: pointer; }
.row > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .number { grid-area: number; align-self: center; text-align: right; color: var(--soft); font-size: .85rem; }
.row b { grid-area: name; font-weight: 600; }
.row .value { grid-area: value; padding: 0 .4rem; border-radius: 3px; }
.row .of { grid-area: of; color: var(--soft); font-size: .85rem; }
.row:hover, .row[aria-selected="true"] { background: var(--chosen); }
.row[aria-selected="true"] { box-shadow: inset 3px 0 var(--ink); }
.value, dd, .legend, .traits span { font-variant-numeric: tabular-nums; }
#detail { padding: 1rem 1.25rem; }
#detail h2 { margin: 0 0 .6rem; font-size: 1rem; font-weight: 400; color: var(--soft); }
#detail h2 b { color: var(--ink); }
.traits { display: flex; flex-wrap: wrap; gap: .3rem; }
.traits button { padding: .1rem .5rem; font-size: .85rem; border: 1px solid var(--line); border-radius: 4px; background: none; }
.traits button[aria-pressed="true"] { border-color: var(--ink); font-weight: 600; }
.prompt { margin: .9rem 0 .4rem; color: var(--soft); font-style: italic; white-space: pre-wrap; overflow-wrap: anywhere; }
.answer { margin: 0; font-size: 1.05rem; line-height: 1.65; white-space: pre-wrap; overflow-wrap: anywhere; }
.answer span { border-radius: 2px; }
.legend { display: flex; align-items: center; gap: .4rem; margin: .9rem 0; color: var(--soft); font-size: .85rem; }
.legend span { display: flex; border: 1px solid var(--line); }
.legend i { width: 1.1rem; height: .9rem; }
dl { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; margin: 0 0 .9rem; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
details .traits { margin-top: .5rem; }
@media (max-width: 60rem) {
  body { padding: .75rem; }
  #chooser { display: flex; gap: .25rem 1rem; margin: 0 0 .75rem; padding: 0; border: 0; font-size: .95rem; }
#chooser label { line-height: 1.5rem; }
#chooser legend { float: left; margin-right: 1rem; padding: 0; font-size: .85rem; line-height: 1.3rem; color: var(--soft); }
#matrix { max-height: 50vh; }
  table.heat td button { min-width: 4.4rem; }
  table.heat th { padding: .1rem .3rem; font-size: .85rem; }
  table.heat tbody th { max-width: 9rem; min-width: 6rem; white-space: normal; line-height: 1.2; }
  #answers { display: block; height: auto; }
  #list { height: 21rem; margin-bottom: .75rem; }
}
`
