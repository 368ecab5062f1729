// Canonical ABI run time: memory that crosses the boundary, strings, lists of scalars.
//
// Owns: cabi_realloc, when memory is collected, the representation of strings and scalar lists.
// Does not own: records, variants and lists of them (generated for each interface).
//
// Invariants:
//   A1. `minimal` runtime: a collection runs only when no call is active, when the wasm stack holds no
//       reference. So a block from cabi_realloc may *become* the string or array that it holds.
//   A2. `incremental` runtime: the collector may run in any allocation. Blocks from the host are
//       unmanaged, linked in `args` until they are copied; lowered lists are linked in `temps`.
//
// Block from the host, and the string that it becomes (A1):
//   -20 mmInfo  -16 gcInfo  -12 gcInfo2  -8 rtId (ArrayBuffer, then String)  -4 rtSize  +0 bytes

// @ts-ignore: decorator
@inline const ZERO_COPY: bool = ASC_RUNTIME == 1;
/** Bytes before an unmanaged block: the link to the next one, padded to keep the block aligned. */
// @ts-ignore: decorator
@inline const LINK: usize = 16;
/** Collect no earlier than this. Units: bytes. Small, so that an idle actor stays in one page. */
// @ts-ignore: decorator
@inline const THRESHOLD_MIN: usize = 1 << 14;

/** Bytes in use by managed objects. The build replaces it by a read of the collector's own counter. */
// @ts-ignore: decorator
@external("loom:intrinsic", "gc-total")
declare function gcTotal(): usize;

let args: usize = 0;
let temps: usize = 0;
let depth: i32 = 0;
let threshold: usize = THRESHOLD_MIN;

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (!size) return align;
  if (ZERO_COPY) return old ? __renew(old, size) : __new(size, idof<ArrayBuffer>());
  if (old) return reallocLinked(old, size);
  const block = heap.alloc(size + LINK);
  store<usize>(block, args);
  args = block;
  return block + LINK;
}

function reallocLinked(old: usize, size: usize): usize {
  const from = old - LINK;
  let before: usize = 0, at = args;
  while (at != from) {
    before = at;
    at = load<usize>(at);
  }
  const to = heap.realloc(from, size + LINK);
  if (before) store<usize>(before, to);
  else args = to;
  return to + LINK;
}

function freeLinked(block: usize): void {
  while (block) {
    const next = load<usize>(block);
    heap.free(block);
    block = next;
  }
}

/** Frees what the host passed in, once it was copied. */
// @ts-ignore: decorator
@inline export function freeArgs(): void {
  if (!ZERO_COPY) {
    if (args) {
      freeLinked(args);
      args = 0;
    }
  }
}

/** Frees lists that were lowered for the host, once it has read them. */
// @ts-ignore: decorator
@inline export function freeTemps(): void {
  if (!ZERO_COPY) {
    if (temps) {
      freeLinked(temps);
      temps = 0;
    }
  }
}

/** Memory for a lowered list. */
export function temp(size: usize): usize {
  if (!size) return LINK;
  if (ZERO_COPY) return __new(size, idof<ArrayBuffer>());
  const block = heap.alloc(size + LINK);
  store<usize>(block, temps);
  temps = block;
  return block + LINK;
}

// @ts-ignore: decorator
@inline export function enter(): void {
  depth++;
}

// @ts-ignore: decorator
@inline export function leave(): void {
  freeTemps();
  if (--depth == 0 && ZERO_COPY) {
    if (gcTotal() > threshold) collect();
  }
}

function collect(): void {
  __collect();
  threshold = max<usize>(THRESHOLD_MIN, gcTotal() << 1);
}

/** Turns a block from the host into an object whose length is its size. A block may be too large. */
// @ts-ignore: decorator
@inline function become(block: usize, id: u32, size: usize): void {
  store<u32>(block - 8, id);
  store<u32>(block - 4, <u32>size);
}

// ---- strings: AssemblyScript's are UTF-16 code units, and so is the component's encoding ----

export function liftString(pointer: usize, length: usize): string {
  if (ZERO_COPY) {
    if (!length) return "";
    become(pointer, idof<string>(), length << 1);
    return changetype<string>(pointer);
  }
  return String.UTF16.decodeUnsafe(pointer, length << 1);
}

// @ts-ignore: decorator
@inline export function lowerString(value: string, to: usize): void {
  store<usize>(to, changetype<usize>(value));
  store<i32>(to, value.length, 4);
}

// ---- lists of scalars ----

export function liftArray<T>(pointer: usize, length: usize): Array<T> {
  const bytes = length << alignof<T>();
  if (ZERO_COPY && length) {
    const array = __new(offsetof<Array<T>>(), idof<Array<T>>());
    store<usize>(array, pointer, offsetof<Array<T>>("buffer"));
    store<usize>(array, pointer, offsetof<Array<T>>("dataStart"));
    store<i32>(array, <i32>bytes, offsetof<Array<T>>("byteLength"));
    store<i32>(array, <i32>length, offsetof<Array<T>>("length_"));
    return changetype<Array<T>>(array);
  }
  const array = new Array<T>(<i32>length);
  memory.copy(array.dataStart, pointer, bytes);
  return array;
}

export function liftStatic<T>(pointer: usize, length: usize): StaticArray<T> {
  if (ZERO_COPY && length) {
    become(pointer, idof<StaticArray<T>>(), length << alignof<T>());
    return changetype<StaticArray<T>>(pointer);
  }
  const array = new StaticArray<T>(<i32>length);
  memory.copy(changetype<usize>(array), pointer, length << alignof<T>());
  return array;
}

/** V is a typed array class and T its element. */
export function liftView<V extends ArrayBufferView, T>(pointer: usize, length: usize): V {
  const bytes = length << alignof<T>();
  let start = pointer;
  if (!ZERO_COPY || !length) {
    start = __new(bytes, idof<ArrayBuffer>());
    memory.copy(start, pointer, bytes);
  }
  const buffer = changetype<ArrayBuffer>(start); // a root while the view is allocated
  const view = __new(offsetof<V>(), idof<V>());
  store<usize>(view, changetype<usize>(buffer), offsetof<V>("buffer"));
  __link(view, changetype<usize>(buffer), false);
  store<usize>(view, start, offsetof<V>("dataStart"));
  store<i32>(view, <i32>bytes, offsetof<V>("byteLength"));
  return changetype<V>(view);
}

// @ts-ignore: decorator
@inline export function lowerArray<T>(array: Array<T>, to: usize): void {
  store<usize>(to, array.dataStart);
  store<i32>(to, array.length, 4);
}

// @ts-ignore: decorator
@inline export function lowerStatic<T>(array: StaticArray<T>, to: usize): void {
  store<usize>(to, changetype<usize>(array));
  store<i32>(to, array.length, 4);
}

// @ts-ignore: decorator
@inline export function lowerView<V extends ArrayBufferView, T>(view: V, to: usize): void {
  store<usize>(to, view.dataStart);
  store<i32>(to, view.byteLength >>> <i32>alignof<T>(), 4);
}

/** A zeroed instance whose constructor is not run; the caller sets every field. */
// @ts-ignore: decorator
@inline export function blank<T>(): T {
  const object = __new(offsetof<T>(), idof<T>());
  memory.fill(object, 0, offsetof<T>());
  return changetype<T>(object);
}
