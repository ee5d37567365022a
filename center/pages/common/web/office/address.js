// @ts-check
// What the page shows stands in its address: it can be sent, kept and gone back to.

/** @param {Record<string, string>} defaults what is not said, by name */
export function address(defaults) {
  const read = () => {
    const given = new URLSearchParams(location.search);
    return Object.fromEntries(Object.entries(defaults).map(([name, usual]) => [name, given.get(name) ?? usual]));
  };
  return {
    read,
    /** @param {Record<string, string>} changes @param {boolean} [step] whether going back undoes it */
    write(changes, step = true) {
      const all = { ...read(), ...changes };
      const said = new URLSearchParams(Object.entries(all).filter(([name, value]) => value !== defaults[name]));
      const text = said.toString();
      history[step ? 'pushState' : 'replaceState'](null, '', location.pathname + (text ? `?${text}` : ''));
    },
  };
}
