/** Script of the report page. Text goes into the page as text nodes only, never as markup. */
export const clientScript = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const pageSize = 20;
const state = { column: data.matrix.columns[0], set: '', organism: '', shown: pageSize };
const limits = new Map(data.matrix.columns.map((column) => {
  const all = data.rankings.filter((r) => r.column === column).flatMap((r) => r.rows.flatMap((row) => row.scores.map(Math.abs)));
  all.sort((a, b) => a - b);
  return [column, all[Math.floor(all.length * 0.98)] || 1];
}));

function element(name, properties, children) {
  const node = Object.assign(document.createElement(name), properties);
  for (const child of children || []) node.append(child);
  return node;
}

function choice(label, key, options) {
  const select = element('select', { onchange: () => { state[key] = select.value; state.shown = pageSize; draw(); } },
    options.map(([value, text]) => element('option', { value, textContent: text })));
  select.dataset.key = key;
  return element('label', {}, [label, select]);
}

const sets = data.matrix.promptSets;
const organisms = data.matrix.rows.map((row) => row.organism);
const count = element('output', {});
document.getElementById('controls').append(
  choice('Trait', 'column', data.matrix.columns.map((name) => [name, name])),
  choice('Organism', 'organism', [['', 'all organisms'], ...organisms.map((name) => [name, name])]),
  choice('Prompt set', 'set', [['', 'all prompt sets'], ...sets.map((name) => [name, name])]),
  count);

function coloured(tokens, scores, limit) {
  return tokens.map((text, index) => {
    const score = scores[index];
    const share = Math.min(1, Math.abs(score) / limit) * 70;
    const token = element('span', { textContent: text, title: score.toFixed(2) });
    token.style.background = 'color-mix(in srgb, var(--' + (score < 0 ? 'minus' : 'plus') + ') ' + share.toFixed(0) + '%, transparent)';
    return token;
  });
}

function card(row, rank, limit) {
  const answer = data.answers[row.answer];
  return element('article', {}, [
    element('header', {}, [
      element('b', { textContent: '#' + rank + ' ' + answer.organism }),
      element('span', { textContent: answer.set + ' / ' + answer.promptId }),
      element('span', { textContent: data.matrix.by + ' ' + row.value.toFixed(2) }),
      element('span', { textContent: 'highest token ' + row.max.toFixed(2) }),
    ]),
    element('p', { className: 'prompt', textContent: answer.prompt }),
    element('p', { className: 'answer' }, coloured(answer.tokens, row.scores, limit)),
  ]);
}

function draw() {
  const rows = data.rankings
    .filter((r) => r.column === state.column && (!state.set || r.set === state.set))
    .flatMap((r) => r.rows)
    .filter((row) => !state.organism || data.answers[row.answer].organism === state.organism)
    .sort((a, b) => b.value - a.value);
  for (const select of document.querySelectorAll('#controls select')) select.value = state[select.dataset.key];
  for (const button of document.querySelectorAll('.heat button')) {
    button.setAttribute('aria-pressed', String(button.dataset.column === state.column && button.dataset.organism === state.organism));
  }
  count.textContent = rows.length + ' answers, the highest first';
  const limit = limits.get(state.column);
  const list = rows.slice(0, state.shown).map((row, index) => card(row, index + 1, limit));
  if (rows.length > state.shown) {
    list.push(element('button', { className: 'more', type: 'button', textContent: 'Show more', onclick: () => { state.shown += pageSize; draw(); } }));
  }
  document.getElementById('answers').replaceChildren(...list);
}

for (const button of document.querySelectorAll('.heat button')) {
  button.addEventListener('click', () => {
    Object.assign(state, { column: button.dataset.column, organism: button.dataset.organism, set: '', shown: pageSize });
    draw();
    document.getElementById('controls').scrollIntoView({ behavior: 'smooth' });
  });
}
draw();
`
