// The lines of a request, computed from its canonical bytes alone: what a page has to show, and nothing else.

/**
 * A part of a text: ours, which stands as it is, or a text of theirs, which stands in quotes.
 * @typedef {{ ours: string } | { theirs: string }} Part
 * @typedef {{ label: Part[], value: Part[] | number }} Line
 * @typedef {{ [key: string]: any }} Members
 * @typedef {{ type: string, id: string, name: string, properties: Members }} Named
 */

const PLAIN_NAME = /^[!#-[\]-~]+$/;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Every line, in the order in which the page shows them.
 * @param {{ subject: Named, on_behalf_of: Named[], action: Named, resource: Named, context: Members }} request
 */
export function linesOf(request) {
  const { subject, on_behalf_of: principals, action, resource, context } = request;
  const ofSubject = (/** @type {string} */ part, /** @type {Named} */ one) => [
    { label: [{ ours: part }], value: typed(one.type, one.id) },
    ...below([{ ours: part }], one.properties),
  ];
  return [
    ...ofSubject("who", subject),
    ...principals.flatMap((one) => ofSubject("on behalf of", one)),
    { label: [{ ours: "does" }], value: name(action.name) },
    ...below([{ ours: "action" }], action.properties),
    { label: [{ ours: "to" }], value: typed(resource.type, resource.id) },
    ...below([{ ours: "resource" }], resource.properties),
    ...below([{ ours: "context" }], context),
  ];
}

/**
 * @param {Part[]} label
 * @param {Members} members
 * @returns {Line[]}
 */
function below(label, members) {
  return Object.keys(members)
    .sort(byCodePoints)
    .flatMap((key) => leaves([...label, ...step(key)], members[key]));
}

/**
 * @param {Part[]} label
 * @param {any} value
 * @returns {Line[]}
 */
function leaves(label, value) {
  if (Array.isArray(value)) {
    const items = value.flatMap((item, index) => leaves([...label, { ours: `[${index}]` }], item));
    return value.length > 0 ? items : [{ label, value: [{ ours: "[]" }] }];
  }
  if (value !== null && typeof value === "object") {
    return Object.keys(value).length > 0 ? below(label, value) : [{ label, value: [{ ours: "{}" }] }];
  }
  if (typeof value === "number") {
    return [{ label, value }];
  }
  return [{ label, value: typeof value === "string" ? quoted(value) : [{ ours: String(value) }] }];
}

/**
 * @param {string} key
 * @returns {Part[]}
 */
function step(key) {
  return PLAIN_KEY.test(key) ? [{ ours: `.${key}` }] : [{ ours: "[" }, ...quoted(key), { ours: "]" }];
}

/**
 * @param {string} type
 * @param {string} id
 */
function typed(type, id) {
  return [...(type.includes(":") ? quoted(type) : name(type)), { ours: ":" }, ...name(id)];
}

/**
 * @param {string} text
 * @returns {Part[]}
 */
function name(text) {
  return PLAIN_NAME.test(text) ? [{ ours: text }] : quoted(text);
}

/**
 * @param {string} text
 * @returns {Part[]}
 */
function quoted(text) {
  return [{ ours: '"' }, { theirs: text }, { ours: '"' }];
}

/**
 * The order of the page's lines: by code points, which that of JavaScript's strings is not beyond U+FFFF.
 * @param {string} left
 * @param {string} right
 */
function byCodePoints(left, right) {
  const [one, other] = [Array.from(left, code), Array.from(right, code)];
  const at = one.findIndex((point, index) => point !== other[index]);
  return at < 0 ? one.length - other.length : (one[at] ?? -1) - (other[at] ?? -1);
}

/** @param {string} character */
function code(character) {
  return character.codePointAt(0) ?? 0;
}
