/** The connection to the server and the token, which is kept for this tab only and sent as a header. */
import { Client } from '../api/client.js';
import { describeToken } from '../model/page/token.js';

const KEY = 'ccms.token';

class Session {
  readonly client = new Client();
  /** Why the server wants a token, or another one; undefined: it is content. */
  refused = $state<string | undefined>();
  /** One is sent. */
  hasToken = $state(false);
  /** Changes with the token: what was asked with the last one is to be asked anew. */
  generation = $state(0);

  constructor() {
    this.client.token = sessionStorage.getItem(KEY) ?? '';
    this.hasToken = this.client.token !== '';
    this.client.onRefused = (reason) => {
      this.refused = this.hasToken ? (describeToken(this.client.token, Date.now() / 1000) ?? reason) : '';
    };
  }

  /** @param token empty: forget it. */
  use(token: string): void {
    if (token === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
    this.client.token = token;
    this.hasToken = token !== '';
    this.refused = undefined;
    this.generation++;
  }
}

export const session = new Session();
