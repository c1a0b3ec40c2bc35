/** What this browser remembers: colours and zone. Neither is in links: they are of who looks, not of what is looked at. */
import type { Zone } from '../model/times.js';

export type Theme = 'auto' | 'light' | 'dark';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

/** A browser that keeps nothing (private windows, policies) is no reason to fail. */
function recall(name: string): string {
  try {
    return localStorage.getItem(`ccms.${name}`) ?? '';
  } catch {
    return '';
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`ccms.${name}`, value);
  } catch {
    // It holds for this visit then.
  }
}

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
