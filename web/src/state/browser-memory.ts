/** What this browser remembers beyond the visit. One that keeps nothing (private windows, policies) is no reason to fail. */

/** @returns empty: nothing is remembered under that name. */
export function recall(name: string): string {
  try {
    return localStorage.getItem(`ccms.${name}`) ?? '';
  } catch {
    return '';
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`ccms.${name}`, value);
  } catch {
    // It holds for this visit then.
  }
}
