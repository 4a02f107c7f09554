export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}

/** A name that may be broken after its underscores. */
export function breakable(name: string): string {
  return escapeHtml(name).replaceAll(/([_@:])/g, '$1<wbr>')
}
