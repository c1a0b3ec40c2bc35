/** Answers to the expressions of the view "explore": of a span for the graph, of its end for the table. */
import { ApiError } from '../api/client.js';
import { askInstant, askRange, type QueryAnswer } from '../api/promql.js';
import { type Steps, stepsOf } from '../model/promql/graph.js';
import { type Problem, problemOf } from '../model/promql/problem.js';
import { type Range, spanOf } from '../model/time/range.js';
import { livePause } from './live.svelte.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

export interface Answered {
  expression: string;
  answer?: QueryAnswer;
  problem?: Problem;
  /** Milliseconds from the question to the whole answer. */
  took: number;
}

export class Exploration {
  /** In the order of the expressions; undefined: nothing was answered yet. */
  answers = $state.raw<Answered[] | undefined>();
  /** Of the answers. */
  steps = $state.raw<Steps | undefined>();
  asking = $state(false);
  /** What was asked last. */
  #kind = '';

  /** Asks until the returned function is called. @param isTable for the values at the end of the range alone. */
  watch(expressions: readonly string[], range: Range, isTable: boolean): () => void {
    const kind = JSON.stringify([expressions, isTable]);
    // The same once more: what was there stays until the new answer comes.
    if (kind !== this.#kind) this.answers = undefined;
    this.#kind = kind;
    const frequencies = Object.values(server.config?.metrics ?? {}).map(({ frequency }) => frequency);
    const frequency = Math.min(60, ...frequencies);
    const pause = (): number => (range.kind === 'fixed' ? 0 : livePause(frequency));
    return repeat(pause, async (signal) => {
      const steps = stepsOf(spanOf(range, server.now), frequency);
      this.asking = true;
      try {
        const answers = await Promise.all(
          expressions.map((expression) => this.#ask(expression, steps, isTable, signal)),
        );
        if (signal.aborted) return;
        this.steps = steps;
        this.answers = answers;
      } finally {
        if (!signal.aborted) this.asking = false;
      }
    });
  }

  async #ask(expression: string, steps: Steps, isTable: boolean, signal: AbortSignal): Promise<Answered> {
    const begun = performance.now();
    const { client } = session;
    try {
      const answer = isTable
        ? await askInstant(client, expression, Math.min(steps.to + steps.step, server.now), signal)
        : await askRange(client, expression, steps, steps.step, signal);
      return { expression, answer, took: performance.now() - begun };
    } catch (error) {
      const message = error instanceof ApiError ? error.message : String(error);
      return { expression, problem: problemOf(message, expression), took: performance.now() - begun };
    }
  }
}
