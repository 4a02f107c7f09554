/** Puts the parts together: whatever changes, what it touches is drawn again. */
export const mainScript = `
const narrow = matchMedia('(max-width: 60rem)');

function change(what, scroll) {
  Object.assign(state, what);
  state.lowest = Boolean(state.lowest);
  draw();
  if (scroll) document.getElementById('controls').scrollIntoView({ block: 'start' });
}

function choose(answer) {
  state.answer = answer;
  writeAddress();
  reveal();
  drawRows();
  showDetail();
  if (narrow.matches && document.activeElement !== list) detail.scrollIntoView({ block: 'start' });
}

async function draw() {
  showControls();
  showMatrix();
  await showList();
  writeAddress();
  await showDetail();
}

window.addEventListener('hashchange', () => {
  readAddress();
  draw();
});
readAddress();
draw();
`
