/** Answers that cost the store some work, shared by all who ask within a short time: a page on ten screens asks once. */

interface Shared<T> {
  /** Milliseconds of `performance.now`. */
  until: number;
  value: Promise<T>;
}

/** Keys that are remembered; clients choose them. */
const MAX_KEYS = 64;

/**
 * @param milliseconds for which an answer is given again.
 * @param make what is asked for; failures are not remembered.
 */
export function sharedFor<T>(milliseconds: number, make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Shared<T>>();
  return (key) => {
    const now = performance.now();
    const known = answers.get(key);
    if (known !== undefined && now < known.until) return known.value;
    for (const [other, { until }] of answers) if (until <= now || answers.size >= MAX_KEYS) answers.delete(other);
    const answer = { until: now + milliseconds, value: make(key) };
    answers.set(key, answer);
    answer.value.catch(() => {
      if (answers.get(key) === answer) answers.delete(key);
    });
    return answer.value;
  };
}
