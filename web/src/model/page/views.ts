/** The views of the page that a tab leads to. */
export const VIEWS = ['overview', 'matrix', 'nodes', 'node', 'explore', 'store'] as const;
export type View = (typeof VIEWS)[number];

export const VIEW_NAMES: readonly { view: View; name: string }[] = [
  { view: 'overview', name: 'Overview' },
  { view: 'matrix', name: 'Matrix' },
  { view: 'nodes', name: 'Nodes' },
  { view: 'explore', name: 'Explore' },
  { view: 'store', name: 'Store' },
];
