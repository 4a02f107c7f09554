/**
 * The matrix: which of its numbers is shown, of which prompt sets, by which trait its organisms are ordered, and which cell
 * is chosen. The page comes with that of all sets, its organisms as the workflow lists them.
 */
export const matrixScript = `
const table = document.querySelector('.heat');
const lines = [...table.tBodies[0].rows];
const heat = [...table.tBodies[0].querySelectorAll('button')];
const placeOf = (button) => button.dataset.at.split(' ').map(Number);
/** The choice between its numbers, where it has several. */
const numbers = [...document.querySelectorAll('#chooser input')];
for (const number of numbers) number.onchange = () => changeMatrix({});
const fields = { means: 'values', effects: 'cohensD', among: 'modifiedZ' };
let drawnSet = -1;
let drawnOrder = lines.map((_, row) => row).join();

const heads = [...table.tHead.querySelectorAll('th')].map((head, column) => {
  const name = element('button', { title: 'Order the organisms by this trait', onclick: () => changeMatrix({ sorted: state.sorted === column ? -1 : column }) }, [...head.childNodes]);
  head.replaceChildren(name);
  return head;
});

function changeMatrix(what) {
  Object.assign(state, what);
  showMatrix();
  writeAddress();
}

const rowsShown = () => (page.matrix.bySet[state.set] || page.matrix).rows;

function showMatrix() {
  if (drawnSet !== state.set) drawMatrix(rowsShown());
  sortMatrix(rowsShown());
  for (const button of heat) {
    const [row, column] = placeOf(button);
    button.setAttribute('aria-pressed', String(row === state.organism && column === state.column));
  }
}

function drawMatrix(rows) {
  drawnSet = state.set;
  const limits = {};
  for (const [name, field] of Object.entries(fields)) limits[name] = Math.max(...rows.flatMap((row) => (row[field] || []).map(Math.abs)), 1e-9);
  for (const button of heat) {
    const [row, column] = placeOf(button);
    for (const span of button.children) {
      const name = span.classList[0];
      const own = rows[row][fields[name]];
      drawNumber(span, name, own[column], limits[name], Math.max(...own.filter((value) => value !== null)));
    }
  }
  const legend = document.querySelector('#chooser legend');
  if (legend) legend.textContent = 'In the matrix' + (state.set < 0 ? '' : ', of ' + page.sets[state.set].name);
}

function drawNumber(span, name, value, limit, highest) {
  span.className = value === null ? name : [name, value < 0 ? 'minus' : 'plus', value === highest ? 'highest' : ''].join(' ');
  span.style.setProperty('--share', (Math.abs(value) / limit).toFixed(2));
  span.textContent = value === null ? '–' : figure(value);
}

/** The highest of the numbers that are shown first; where none is said to be ordered by, as the workflow has them. */
function sortMatrix(rows) {
  for (const [column, head] of heads.entries()) head.ariaSort = column === state.sorted ? 'descending' : null;
  const shown = numbers.find(({ checked }) => checked);
  const field = fields[shown ? shown.id : 'means'];
  const value = (row) => state.sorted < 0 || rows[row][field][state.sorted] === null ? -Infinity : rows[row][field][state.sorted];
  const order = lines.map((_, row) => row).sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)));
  if (order.join() === drawnOrder) return;
  drawnOrder = order.join();
  table.tBodies[0].append(...order.map((row) => lines[row]));
  const ranks = new Map(order.map((row, rank) => [row, rank]));
  heat.sort((a, b) => ranks.get(placeOf(a)[0]) - ranks.get(placeOf(b)[0]) || placeOf(a)[1] - placeOf(b)[1]);
}

for (const button of heat) {
  button.onclick = () => {
    const [organism, column] = placeOf(button);
    change({ organism, column, search: '' }, true);
  };
  button.onfocus = () => {
    for (const other of heat) other.tabIndex = other === button ? 0 : -1;
  };
}
table.tBodies[0].onkeydown = (event) => {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns.length, ArrowDown: columns.length };
  const from = heat.indexOf(event.target);
  const to = heat[from + moves[event.key]];
  if (from < 0 || !to) return;
  event.preventDefault();
  to.focus();
};
`
