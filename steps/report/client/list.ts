/** Answers in order. Only the rows that can be seen are in the page, so the list may be as long as it likes. */
export const listScript = `
const list = document.getElementById('list');
const space = element('div', { className: 'space' });
list.append(space);
const rowHeight = Math.round(3.4 * parseFloat(getComputedStyle(document.documentElement).fontSize));
let order = [];
let values = { value: [], max: [] };
let limit = 1;

async function showList() {
  const { column } = state;
  try {
    const read = await part('values~' + column);
    if (column !== state.column) return;
    values = read;
  } catch (error) {
    list.setAttribute('aria-busy', 'false');
    count.textContent = error.message;
    return;
  }
  limit = page.limits[column];
  const words = state.search.toLowerCase().split(' ').filter(Boolean);
  const wanted = prompts.map(({ set, id, text }) => {
    const said = (id + ' ' + text).toLowerCase();
    return (state.set < 0 || set === state.set) && words.every((word) => said.includes(word));
  });
  order = [];
  for (let answer = 0; answer < values.value.length; answer++) {
    if (values.value[answer] === null || !wanted[answer % prompts.length]) continue;
    if (state.organism < 0 || organismOf(answer) === state.organism) order.push(answer);
  }
  const sign = state.lowest ? 1 : -1;
  order.sort((a, b) => sign * (values.value[a] - values.value[b]) || a - b);
  count.textContent = order.length.toLocaleString('en-US') + (order.length === 1 ? ' answer' : ' answers');
  space.style.height = order.length * rowHeight + 'px';
  list.scrollTop = 0;
  if (!order.includes(state.answer)) state.answer = order.length > 0 ? order[0] : -1;
  reveal();
  drawRows();
  list.dataset.shown = String(column);
  performance.mark('list');
}

function drawRows() {
  const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - 4);
  const last = Math.min(order.length, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + 4);
  const rows = [];
  for (let index = first; index < last; index++) rows.push(row(order[index], index));
  space.replaceChildren(...rows);
  const chosen = order.indexOf(state.answer);
  if (chosen >= first && chosen < last) list.setAttribute('aria-activedescendant', 'answer-' + state.answer);
  else list.removeAttribute('aria-activedescendant');
}

function row(answer, index) {
  const { name, id, text } = promptOf(answer);
  const node = element('div', { id: 'answer-' + answer, className: 'row', onclick: () => choose(answer) }, [
    element('span', { className: 'number', textContent: index + 1 }),
    element('b', { textContent: organisms[organismOf(answer)] }),
    colour(element('span', { className: 'value', textContent: figure(values.value[answer]) }), values.value[answer], limit, 60),
    element('span', { className: 'of', textContent: name + ' / ' + id + ' · ' + text }),
  ]);
  node.setAttribute('role', 'option');
  node.setAttribute('aria-selected', String(answer === state.answer));
  node.setAttribute('aria-posinset', index + 1);
  node.setAttribute('aria-setsize', order.length);
  node.style.top = index * rowHeight + 'px';
  node.style.height = rowHeight + 'px';
  return node;
}

function reveal() {
  const top = order.indexOf(state.answer) * rowHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight;
}

let drawing = 0;
list.onscroll = () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(drawRows);
};
window.addEventListener('resize', drawRows);

list.onkeydown = (event) => {
  const screen = Math.max(1, Math.floor(list.clientHeight / rowHeight) - 1);
  const at = order.indexOf(state.answer);
  const moves = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - screen, PageDown: at + screen, Home: 0, End: order.length - 1 };
  if (event.key === 'Enter') return document.getElementById('detail').focus();
  if (!(event.key in moves) || order.length === 0) return;
  event.preventDefault();
  choose(order[Math.min(order.length - 1, Math.max(0, moves[event.key]))]);
};
`
