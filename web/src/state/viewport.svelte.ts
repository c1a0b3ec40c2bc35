/** The room that the window has: pictures grow with it. */
import { innerHeight, innerWidth } from 'svelte/reactivity/window';

class Viewport {
  get width(): number {
    return innerWidth.current ?? 1280;
  }

  get height(): number {
    return innerHeight.current ?? 800;
  }

  /** Pixels of a chart that is one of many: as on paper where there is no more, twice that on a wall. */
  get chartHeight(): number {
    return Math.min(240, Math.max(130, Math.floor(this.height / 9)));
  }
}

export const viewport = new Viewport();
