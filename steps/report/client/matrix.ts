/** The matrix: which of its numbers is shown, of which prompt sets, and which cell is chosen. The page comes with that of all sets. */
export const matrixScript = `
const heat = [...document.querySelectorAll('.heat button')];
/** The choice between its numbers, where it has several. */
const numbers = [...document.querySelectorAll('#chooser input')];
for (const number of numbers) number.onchange = writeAddress;
const fields = { means: 'values', effects: 'cohensD', among: 'modifiedZ' };
let drawnSet = -1;

function showMatrix() {
  if (drawnSet !== state.set) drawMatrix();
  for (const button of heat) {
    const [row, column] = button.dataset.at.split(' ').map(Number);
    button.setAttribute('aria-pressed', String(row === state.organism && column === state.column));
  }
}

function drawMatrix() {
  drawnSet = state.set;
  const { rows } = page.matrix.bySet[state.set] || page.matrix;
  for (const [name, field] of Object.entries(fields)) {
    const limit = Math.max(...rows.flatMap((row) => (row[field] || []).map(Math.abs)), 1e-9);
    for (const [index, span] of document.querySelectorAll('.heat .' + name).entries()) {
      const own = rows[Math.floor(index / columns.length)][field];
      drawNumber(span, name, own[index % columns.length], limit, Math.max(...own.filter((value) => value !== null)));
    }
  }
  const legend = document.querySelector('#chooser legend');
  if (legend) legend.textContent = 'In the matrix' + (state.set < 0 ? '' : ', of ' + page.sets[state.set].name);
}

function drawNumber(span, name, value, limit, highest) {
  span.className = value === null ? name : [name, value < 0 ? 'minus' : 'plus', value === highest ? 'highest' : ''].join(' ');
  span.style.setProperty('--share', (Math.abs(value) / limit).toFixed(2));
  span.textContent = value === null ? '–' : value.toFixed(2);
}

for (const button of heat) {
  button.onclick = () => {
    const [organism, column] = button.dataset.at.split(' ').map(Number);
    change({ organism, column, search: '' }, true);
  };
  button.onfocus = () => {
    for (const other of heat) other.tabIndex = other === button ? 0 : -1;
  };
}
document.querySelector('.heat').onkeydown = (event) => {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns.length, ArrowDown: columns.length };
  const from = heat.indexOf(event.target);
  const to = heat[from + moves[event.key]];
  if (from < 0 || !to) return;
  event.preventDefault();
  to.focus();
};
`
