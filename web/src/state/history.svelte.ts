/** Expressions that this browser has asked, the last one first. */
import { recall, remember } from './browser-memory.js';

const KEPT = 30;

class History {
  expressions = $state.raw<readonly string[]>(parse(recall('history')));

  add(expressions: readonly string[]): void {
    const kept = [...new Set([...expressions.map((text) => text.trim()), ...this.expressions])].filter(Boolean);
    this.expressions = kept.slice(0, KEPT);
    remember('history', JSON.stringify(this.expressions));
  }

  clear(): void {
    this.expressions = [];
    remember('history', '[]');
  }
}

/** What another version or somebody's hand has left there is no reason to fail. */
function parse(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

export const history = new History();
