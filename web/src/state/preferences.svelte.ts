/** What this browser remembers: colours and zone. Neither is in links: they are of who looks, not of what is looked at. */
import type { Zone } from '../model/time/times.js';
import { recall, remember } from './browser-memory.js';

export type Theme = 'auto' | 'light' | 'dark';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

class Preferences {
  #theme = $state<Theme>(THEMES.find((theme) => theme === recall('theme')) ?? 'auto');
  #zone = $state<Zone>(recall('zone') === 'utc' ? 'utc' : 'local');
  /** Changes with the colours, also when the system changes them: canvases draw anew. */
  colours = $state(0);

  constructor() {
    this.#apply();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours++;
    });
  }

  get theme(): Theme {
    return this.#theme;
  }
  set theme(theme: Theme) {
    this.#theme = theme;
    remember('theme', theme);
    this.#apply();
  }

  get zone(): Zone {
    return this.#zone;
  }
  set zone(zone: Zone) {
    this.#zone = zone;
    remember('zone', zone);
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.#theme;
    this.colours++;
  }
}

export const preferences = new Preferences();
