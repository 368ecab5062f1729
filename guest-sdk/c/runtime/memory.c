// Memory of an actor: malloc and free for its state, and the memory of the running call.
//
// Linked only where something refers to it. Its own state lies in linear memory, so it is captured and
// restored with everything else.
//
// A block, of a power of two bytes from 16 on; free blocks of one size are a list:
//   +0  u32 log2 of its size     +8  contents | when free: the next free block of this size
#include "loom.h"
#include <string.h>

#define HEADER 8
#define SMALLEST 4
#define LARGEST 30
#define PAGE_BITS 16

extern unsigned char __heap_base;

static uint32_t *free_blocks[LARGEST + 1];
static uintptr_t heap_next, heap_end;

static unsigned size_class(size_t size) {
  unsigned class = SMALLEST;
  while (((size_t)1 << class) - HEADER < size)
    if (++class > LARGEST) return 0;
  return class;
}

static bool grow(size_t missing) {
  size_t pages = (missing + ((size_t)1 << PAGE_BITS) - 1) >> PAGE_BITS;
  if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return false;
  heap_end += pages << PAGE_BITS;
  return true;
}

void *malloc(size_t size) {
  unsigned class = size > ((size_t)1 << LARGEST) ? 0 : size_class(size);
  if (class == 0) return NULL;
  uint32_t *block = free_blocks[class];
  if (block != NULL) {
    free_blocks[class] = *(uint32_t **)(block + HEADER / 4);
    return block + HEADER / 4;
  }
  if (heap_next == 0) {
    heap_next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    heap_end = __builtin_wasm_memory_size(0) << PAGE_BITS;
  }
  size_t whole = (size_t)1 << class;
  if (whole > heap_end - heap_next && !grow(whole - (heap_end - heap_next))) return NULL;
  block = (uint32_t *)heap_next;
  heap_next += whole;
  *block = class;
  return block + HEADER / 4;
}

static size_t usable(const void *contents) {
  return ((size_t)1 << ((const uint32_t *)contents)[-HEADER / 4]) - HEADER;
}

void free(void *contents) {
  if (contents == NULL) return;
  uint32_t *block = (uint32_t *)contents - HEADER / 4;
  *(uint32_t **)contents = free_blocks[*block];
  free_blocks[*block] = block;
}

void *calloc(size_t count, size_t size) {
  size_t all;
  if (__builtin_mul_overflow(count, size, &all)) return NULL;
  void *contents = malloc(all);
  return contents == NULL ? NULL : memset(contents, 0, all);
}

void *realloc(void *contents, size_t size) {
  if (contents == NULL) return malloc(size);
  size_t have = usable(contents);
  if (size <= have) return contents;
  void *moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, contents, have);
  free(contents);
  return moved;
}

// The memory of the call: chunks that are filled from the front. The first one stays; the others are freed
// when the call ends.
typedef struct chunk {
  struct chunk *before;
  size_t size;
  size_t used;
} chunk;

#define CHUNK_SIZE (1024 - HEADER)
static chunk *newest;

static chunk *add_chunk(size_t needed) {
  size_t size = needed + sizeof(chunk);
  chunk *added = malloc(size < CHUNK_SIZE ? CHUNK_SIZE : size);
  if (added == NULL) loom_panic("out of memory");
  added->before = newest;
  added->size = usable(added) - sizeof(chunk);
  added->used = 0;
  return newest = added;
}

static unsigned char *contents_of(chunk *from) { return (unsigned char *)(from + 1); }

static void *allocate(size_t size, size_t align) {
  if (size > ((size_t)1 << LARGEST)) loom_panic("out of memory");
  chunk *from = newest;
  size_t start = from == NULL ? 0 : (((uintptr_t)contents_of(from) + from->used + align - 1) & -align) - (uintptr_t)contents_of(from);
  if (from == NULL || start > from->size || size > from->size - start) {
    from = add_chunk(size + align);
    start = -(uintptr_t)contents_of(from) & (align - 1);
  }
  from->used = start + size;
  return contents_of(from) + start;
}

void *loom_temp(size_t size) { return memset(allocate(size, 8), 0, size); }

/** Ends the memory of the call; the generated code calls it. */
void loom_temp_clear(void) {
  if (newest == NULL) return;
  for (;;) {
    chunk *last = newest;
    memset(contents_of(last), 0, last->used);
    last->used = 0;
    if (last->before == NULL) return;
    newest = last->before;
    free(last);
  }
}

/** The host asks for memory: for arguments, and for what its functions return. */
__attribute__((export_name("cabi_realloc"))) void *loom_cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  if (size == 0) return (void *)align;
  void *made = allocate(size, align);
  if (old_size != 0) memcpy(made, old, old_size < size ? old_size : size);
  return made;
}
