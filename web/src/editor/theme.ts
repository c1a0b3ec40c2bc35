/** How the editor looks: the page's own colours, which come through the shadow root as custom properties. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const look = EditorView.theme({
  '&': { color: 'var(--ink)', background: 'var(--ground)', fontSize: '14px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': {
    padding: '5px 0',
    fontFamily: 'ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace',
    caretColor: 'var(--ink)',
  },
  '.cm-line': { padding: '0 8px' },
  '.cm-placeholder': { color: 'var(--soft)' },
  '.cm-tooltip': {
    background: 'var(--ground)',
    color: 'var(--ink)',
    border: '1px solid var(--line)',
    borderRadius: '4px',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--raised)', color: 'var(--accent)' },
  '.cm-completionDetail': { color: 'var(--soft)', fontStyle: 'normal' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--raised)', outline: '1px solid var(--line)' },
  // The linter's own lines are images in data: addresses, which the page's policy does not allow.
  '.cm-lintRange': { backgroundImage: 'none !important' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--dead)', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { textDecoration: 'underline wavy var(--late)', textUnderlineOffset: '3px' },
  '.cm-lintPoint::after': { borderBottomColor: 'var(--dead) !important' },
  '.cm-diagnostic': { padding: '3px 8px' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--dead)' },
});

const words = HighlightStyle.define([
  { tag: [tags.function(tags.variableName), tags.operatorKeyword, tags.modifier], color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--late)' },
  { tag: tags.labelName, color: 'var(--soft)' },
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
]);

export const theme = [look, syntaxHighlighting(words)];
