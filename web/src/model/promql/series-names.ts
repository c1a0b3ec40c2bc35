/** Names of series by their labels, short enough for a legend. */

type Labels = Readonly<Record<string, string>>;

/** As PromQL writes it: `cpu_load{cluster="alex",hostname="f0101"}`. */
export function fullName(labels: Labels): string {
  const { __name__: name = '', ...others } = labels;
  const list = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return list.length === 0 ? name || '{}' : `${name}{${list.join(', ')}}`;
}

/** What tells each series from the others: the metric's name, and labels that are not the same for all. Alone it has its name only. */
export function shortNames(all: readonly Labels[]): string[] {
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  const telling = [...names].filter((name) => new Set(all.map((labels) => labels[name] ?? '')).size > 1);
  return all.map((labels) => {
    const values = telling
      .filter((name) => name !== '__name__' && labels[name] !== undefined)
      .map((name) => labels[name]);
    const metric = labels.__name__ ?? '';
    const named = telling.includes('__name__') || values.length === 0 ? metric : '';
    return [named, ...values].filter(Boolean).join(' ') || fullName(labels);
  });
}
