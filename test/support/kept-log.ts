import { errorText, type Logger, type LogLevel } from '../../src/base/log.js';

/** A log that keeps its lines. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly err = this.#at('err');
  readonly crit = this.#at('crit');

  #at(level: LogLevel): (message: string, error?: unknown) => void {
    return (message, error) => {
      this.lines.push(`${level} ${message}${error === undefined ? '' : `: ${errorText(error)}`}`);
    };
  }

  get text(): string {
    return this.lines.join('\n');
  }
}
