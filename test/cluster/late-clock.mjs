/** Preloaded into a server (`NODE_OPTIONS=--import=...`): its clock is an hour ahead. */
const AHEAD = 3_600_000;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length ? args : [RealDate.now() + AHEAD]));
  }

  static now() {
    return RealDate.now() + AHEAD;
  }
};
