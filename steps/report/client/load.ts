/** The page's data, and the loading of what lies beside it. A page that was opened as a file may add scripts, and may not fetch. */
export const loadScript = `
const page = JSON.parse(document.getElementById('data').textContent);
const organisms = page.matrix.rows.map((row) => row.organism);
const columns = page.matrix.columns;
const prompts = page.sets.flatMap(({ name, prompts }, set) => prompts.map(([id, text], index) => ({ set, name, id, text, index })));

const keptParts = 12;
const parts = new Map();
const arrived = new Map();
window.dagReport = { take: (name, data) => arrived.set(name, data) };

function part(name) {
  let known = parts.get(name);
  if (!known) {
    known = new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = 'data/' + encodeURIComponent(name) + '.js';
      script.onload = () => {
        script.remove();
        if (arrived.has(name)) resolve(arrived.get(name));
        else reject(new Error('data/' + name + '.js is damaged'));
        arrived.delete(name);
      };
      script.onerror = () => {
        script.remove();
        parts.delete(name);
        reject(new Error('data/' + name + '.js is not beside this page: copy the folder as a whole, or run the workflow again'));
      };
      document.head.append(script);
    });
  }
  parts.delete(name);
  parts.set(name, known);
  if (parts.size > keptParts) parts.delete(parts.keys().next().value);
  return known;
}

/** As everywhere: two decimals, and what rounds to nothing has no sign. */
function figure(value) {
  return value.toFixed(2).replace(/^-(?=0[.]00$)/, '');
}

function element(name, properties, children) {
  const node = Object.assign(document.createElement(name), properties);
  for (const child of children || []) node.append(child);
  return node;
}

function colour(node, value, limit, most) {
  const share = Math.min(1, Math.abs(value) / limit) * most;
  node.style.background = 'color-mix(in srgb, var(--' + (value < 0 ? 'minus' : 'plus') + ') ' + share.toFixed(0) + '%, transparent)';
  return node;
}

function scoresOf(kept) {
  const bytes = Uint8Array.from(atob(kept.scores), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 2 }, (_, index) => view.getInt16(2 * index, true) * kept.scale);
}
`
