/** The present, for ages on the page: moves once a second while the tab is visible. */
class Clock {
  /** Unix seconds by this browser's clock. */
  now = $state(Date.now() / 1000);

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = Date.now() / 1000;
    }, 1000);
  }
}

export const clock = new Clock();
