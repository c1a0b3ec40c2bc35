/** The place that is looked at, kept in step with the address. */
import { type Place, parsePlace, placeSearch } from './location.js';

class Router {
  place = $state.raw<Place>(parsePlace(location.search));

  constructor() {
    addEventListener('popstate', () => {
      this.place = parsePlace(location.search);
    });
  }

  /**
   * Goes to the present place with some members changed.
   * @param how `push`: back returns here; `replace`: what was only adjusted (a scale, a sort order) is no step back.
   */
  go(change: Partial<Place>, how: 'push' | 'replace' = 'push'): void {
    const place = { ...this.place, ...change };
    const search = placeSearch(place);
    if (search === placeSearch(this.place)) return;
    this.place = place;
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', search);
  }

  /** The address of the present place with some members changed. */
  link(change: Partial<Place>): string {
    return placeSearch({ ...this.place, ...change });
  }

  /** For `onclick` of links: goes there without loading the page anew, unless the browser is asked to open it elsewhere. */
  follow(change: Partial<Place>): (event: MouseEvent) => void {
    return (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.go(change);
    };
  }
}

export const router = new Router();
