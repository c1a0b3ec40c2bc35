/**
 * An editor of one PromQL expression, by CodeMirror: loaded when it is first opened. It stands in a shadow root, whose style
 * sheets are made by script: a policy without inline styles allows those and no others.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import type { Client } from '../api/client.js';
import type { Problem } from '../model/promql/problem.js';
import { ServerNames } from './completion.js';
import { theme } from './theme.js';

export interface EditorOptions {
  /** What a screen reader says. */
  label: string;
  text: string;
  onChange(text: string): void;
  /** Ctrl or Cmd with Enter. */
  onRun(): void;
}

export interface Editor {
  /** Replaces the text, unless it is the same. */
  setText(text: string): void;
  /** Underlines where the server found something wrong. */
  setProblem(problem: Problem | undefined): void;
  focus(): void;
  destroy(): void;
}

let names: ServerNames | undefined;

/** @param host an element of its own, without children. @param client for completion. */
export function makeEditor(host: HTMLElement, client: Client, options: EditorOptions): Editor {
  names ??= new ServerNames(client);
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const run = () => {
    options.onRun();
    return true;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])),
        history(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        // Tab leaves the editor, as it leaves any field.
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        new PromQLExtension().setComplete({ remote: names }).asExtension(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) options.onChange(state.doc.toString());
        }),
        placeholder('cpu_load'),
        theme,
      ],
    }),
  });
  return {
    setText(text) {
      const { doc } = view.state;
      if (doc.toString() !== text) view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
    },
    setProblem(problem) {
      const { length } = view.state.doc;
      const at = problem?.at;
      const list = at === undefined ? [] : [diagnosticAt(Math.min(at, length), length, problem?.text ?? '')];
      view.dispatch(setDiagnostics(view.state, list));
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

/** From the place to the next character; at the end of the text the last one. */
function diagnosticAt(at: number, length: number, message: string) {
  const from = Math.max(0, Math.min(at, length - 1));
  return { from, to: Math.min(length, from + 1), severity: 'error' as const, message };
}
