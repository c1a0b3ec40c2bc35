/** Names and lists of them as the host encodes them (src/wasm/names.ts), little-endian and without alignment. */

/** u16 length + UTF-8. */
@unmanaged
export class Name {
  private bytes: u16;

  get length(): i32 {
    return <i32>this.bytes;
  }
  /** Address of the text. */
  get text(): usize {
    return changetype<usize>(this) + offsetof<Name>();
  }
  /** Address behind the name. */
  get end(): usize {
    return this.text + <usize>this.bytes;
  }
  /** The name that follows. */
  get next(): Name {
    return changetype<Name>(this.end);
  }
}

/** u32 count + names. */
@unmanaged
export class Names {
  count: i32;

  get first(): Name {
    return changetype<Name>(changetype<usize>(this) + offsetof<Names>());
  }
  /** Address behind the last name. */
  get end(): usize {
    let name = this.first;
    for (let i = this.count; i > 0; i--) name = name.next;
    return changetype<usize>(name);
  }
}
