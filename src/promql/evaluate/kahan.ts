/** Compensated addition after Kahan and Neumaier: the sum that Prometheus's functions and aggregations make. */

export class Sum {
  value = 0;
  /** What rounding has lost so far; 0 once the sum is infinite. */
  lost = 0;

  reset(value = 0, lost = 0): void {
    this.value = value;
    this.lost = lost;
  }

  add(term: number): void {
    const sum = this.value;
    const next = sum + term;
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) this.lost = 0;
    else if (Math.abs(sum) >= Math.abs(term)) this.lost += sum - next + term;
    else this.lost += term - next + sum;
    this.value = next;
  }

  get total(): number {
    return this.value + this.lost;
  }
}
