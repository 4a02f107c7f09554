/** What is shown, and the filters that say so. The address keeps it, so that a view can be sent and come back to. */
export const controlsScript = `
const state = { column: 0, organism: -1, set: -1, search: '', lowest: false, sorted: -1, answer: -1 };

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const index = (list, name) => list.indexOf(given.get(name));
  state.column = Math.max(0, index(columns, 'trait'));
  state.organism = index(organisms, 'organism');
  state.set = index(page.sets.map(({ name }) => name), 'set');
  state.search = given.get('search') || '';
  state.lowest = given.get('order') === 'lowest';
  state.sorted = index(columns, 'sorted');
  const number = numbers.find(({ id }) => id === given.get('matrix')) || numbers[0];
  if (number) number.checked = true;
  const [organism, set, prompt] = (given.get('answer') || '').split('~');
  const at = prompts.findIndex(({ name, id }) => name === set && id === prompt);
  state.answer = at >= 0 && organisms.includes(organism) ? organisms.indexOf(organism) * prompts.length + at : -1;
}

function writeAddress() {
  const said = new URLSearchParams();
  said.set('trait', columns[state.column]);
  if (state.organism >= 0) said.set('organism', organisms[state.organism]);
  if (state.set >= 0) said.set('set', page.sets[state.set].name);
  if (state.search) said.set('search', state.search);
  if (state.lowest) said.set('order', 'lowest');
  if (state.sorted >= 0) said.set('sorted', columns[state.sorted]);
  const number = numbers.findIndex(({ checked }) => checked);
  if (number > 0) said.set('matrix', numbers[number].id);
  if (state.answer >= 0) {
    const { name, id } = promptOf(state.answer);
    said.set('answer', [organisms[organismOf(state.answer)], name, id].join('~'));
  }
  try { history.replaceState(null, '', '#' + said); } catch { /* An address that cannot be kept is no loss. */ }
}

const organismOf = (answer) => Math.floor(answer / prompts.length);
const promptOf = (answer) => prompts[answer % prompts.length];

function choice(label, key, options) {
  const select = element('select', { onchange: () => change({ [key]: Number(select.value) }) },
    options.map(([value, text]) => element('option', { value, textContent: text })));
  select.dataset.key = key;
  return element('label', {}, [label, select]);
}

const count = element('output', {});
const search = element('input', { type: 'search', placeholder: 'words of the prompt, or its name' });
let typing = 0;
search.oninput = () => {
  clearTimeout(typing);
  typing = setTimeout(() => change({ search: search.value }), 150);
};
const named = (list) => list.map((name, index) => [index, name]);
document.getElementById('controls').append(
  choice('Trait', 'column', named(columns)),
  choice('Organism', 'organism', [[-1, 'all organisms'], ...named(organisms)]),
  choice('Prompt set', 'set', [[-1, 'all prompt sets'], ...named(page.sets.map(({ name }) => name))]),
  choice('Order', 'lowest', [[0, 'highest first'], [1, 'lowest first']]),
  element('label', { className: 'wide' }, ['Prompt', search]),
  count);

function showControls() {
  for (const select of document.querySelectorAll('#controls select')) select.value = Number(state[select.dataset.key]);
  if (document.activeElement !== search) search.value = state.search;
}
`
