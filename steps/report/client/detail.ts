/** One answer: what it scores along every trait, its prompt, its tokens coloured by the chosen one, and its fellows. */
export const detailScript = `
const detail = document.getElementById('detail');

async function showDetail() {
  const { answer, column } = state;
  if (answer < 0) return detail.replaceChildren(element('p', { className: 'soft', textContent: 'No answer is like this.' }));
  const { name, id } = promptOf(answer);
  const organism = organisms[organismOf(answer)];
  let read;
  try {
    read = await part('answers~' + organism + '~' + name);
  } catch (error) {
    if (answer === state.answer) detail.replaceChildren(element('p', { className: 'soft', textContent: error.message }));
    return;
  }
  if (answer !== state.answer || column !== state.column) return;
  const found = read.answers.find((each) => each.id === id);
  detail.replaceChildren(
    element('h2', {}, [element('b', { textContent: organism }), ' ', element('span', { textContent: name + ' / ' + id })]),
    traits(found),
    ...(found.earlier ?? []).map(({ role, content }) => element('p', { className: 'prompt soft', textContent: role + ': ' + content })),
    element('p', { className: 'prompt', textContent: found.prompt }),
    element('p', { className: 'answer' }, [...begun(found), ...tokens(found, column)]),
    legend(column),
    metrics(found, column),
    fellows(answer),
  );
  detail.scrollTop = 0;
  detail.dataset.shown = answer + ' ' + column;
  performance.mark('detail');
}

/** What was put into the model's mouth, and has no scores. */
function begun({ prefill }) {
  return prefill ? [element('span', { className: 'soft prefill', textContent: prefill, title: 'given as the beginning of the answer' })] : [];
}

function traits(found) {
  const by = page.metricNames.indexOf(page.matrix.by);
  const buttons = columns.map((name, index) => {
    const value = found.vectors[index].metrics[by];
    const button = element('button', { type: 'button', onclick: () => change({ column: index }) }, [name, ' ', element('span', { textContent: figure(value) })]);
    button.setAttribute('aria-pressed', String(index === state.column));
    return colour(button, value, page.limits[index], 60);
  });
  return element('div', { className: 'traits', ariaLabel: 'Colour by' }, buttons);
}

function tokens(found, column) {
  const scores = scoresOf(found.vectors[column]);
  if (found.tokens.length === 0) return [element('span', { className: 'soft', textContent: '(an empty answer)' })];
  return found.tokens.map((text, index) => {
    const score = scores[index];
    return colour(element('span', { textContent: text, title: figure(score) }), score, page.limits[column], 70);
  });
}

function legend(column) {
  const most = page.limits[column];
  const steps = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1].map((share) => colour(element('i', {}), share, 1, 70));
  return element('p', { className: 'legend' }, [(-most).toFixed(1), element('span', {}, steps), most.toFixed(1), ' a token, ' + columns[column]]);
}

function metrics(found, column) {
  const pairs = page.metricNames.map((name, index) =>
    element('div', {}, [element('dt', { textContent: name }), element('dd', { textContent: found.vectors[column].metrics[index].toFixed(3) })]));
  return element('dl', {}, [...pairs, element('div', {}, [element('dt', { textContent: 'tokens' }), element('dd', { textContent: found.tokens.length })])]);
}

function fellows(answer) {
  const same = organisms.map((_, organism) => organism * prompts.length + (answer % prompts.length))
    .filter((each) => each !== answer && values.value[each] !== null && values.value[each] !== undefined)
    .sort((a, b) => values.value[b] - values.value[a]);
  const buttons = same.map((each) => colour(element('button', { type: 'button', onclick: () => choose(each) },
    [organisms[organismOf(each)], ' ', element('span', { textContent: figure(values.value[each]) })]), values.value[each], limit, 60));
  return element('details', { open: wasOpen(), ontoggle: (event) => (fellowsOpen = event.target.open) }, [
    element('summary', { textContent: 'The same prompt, other organisms (' + same.length + ')' }),
    element('div', { className: 'traits' }, buttons),
  ]);
}

let fellowsOpen = false;
const wasOpen = () => fellowsOpen;
`
