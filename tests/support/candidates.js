// Visible elements whose markup may give them the role arguments[0] and the name arguments[1], inside the topmost modal
// dialog where one is open. Generous in names: unless `certain`, the browser's own computation is asked afterwards.
const [role, name] = arguments;

const tags = {
  button: 'button, summary, input[type=button], input[type=submit]',
  checkbox: 'input[type=checkbox]',
  combobox: 'select',
  dialog: 'dialog',
  form: 'form',
  heading: 'h1, h2, h3, h4, h5, h6',
  img: 'img, svg',
  link: 'a[href]',
  list: 'ul, ol',
  listitem: 'li',
  option: 'option',
  progressbar: 'progress',
  radio: 'input[type=radio]',
  region: 'section',
  searchbox: 'input[type=search]',
  row: 'tr',
  status: 'output',
  switch: 'input[type=checkbox][switch]',
  table: 'table',
  textbox: 'textarea, input:not([type]), input[type=text], input[type=password], input[type=email], input[type=url], input[type=tel]',
};
const selector = [`[role~="${role}"]`, tags[role]].filter(Boolean).join(', ');

const dialogs = document.querySelectorAll('dialog:modal');
const scope = dialogs.length ? dialogs[dialogs.length - 1] : document.documentElement;

const squeezed = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
const wanted = squeezed(name);
const mayBeNamed = (element) => {
  const sources = [
    element.textContent,
    element.value,
    element.title,
    element.ariaLabel,
    element.getAttribute('alt'),
    element.getAttribute('placeholder'),
    ...[...(element.labels ?? [])].map((label) => label.textContent),
    ...(element.getAttribute('aria-labelledby') ?? '').split(/\s+/).map((id) => document.getElementById(id)?.textContent),
  ];
  if (element.querySelector('[aria-label], img, svg, [aria-labelledby]')) return true;
  return sources.some((source) => squeezed(source).includes(wanted));
};

// WebKitGTK calls a list to choose from a button, and adds the chosen option to its name.
const isList = (element) => role === 'combobox' && element.localName === 'select'
  && [...element.labels].some((label) => {
    const text = label.cloneNode(true);
    text.querySelectorAll('select').forEach((list) => list.remove());
    return squeezed(text.textContent) === wanted;
  });

return [...scope.querySelectorAll(selector), ...(scope.matches(selector) ? [scope] : [])]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && mayBeNamed(element))
  .map((element) => ({ element, certain: isList(element) }));
