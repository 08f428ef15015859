/* The plan decoder against valid, truncated and mutated plans. Each lies at the end of an allocation: the sanitizer sees any byte read past it. */
#include "test.h"

#include <sched.h>

static const struct op_shape shapes[] = OP_SHAPES;

struct writer {
  unsigned char bytes[8192];
  size_t end;
};

static void put(struct writer *writer, const void *bytes, size_t size) {
  memcpy(writer->bytes + writer->end, bytes, size);
  writer->end += size;
}

static void put_block(struct writer *writer, const void *bytes, uint32_t size) {
  put(writer, &size, sizeof(size));
  put(writer, bytes, size);
  put(writer, "\0\0\0", (4 - size % 4) % 4);
}

/* An operation with plausible fields: numbers small, strings short. */
static void add(struct writer *writer, uint16_t code) {
  size_t start = writer->end;
  uint16_t flags = 0;
  uint32_t size = 0, word = code == OP_NAMESPACES ? CLONE_NEWNS : 2;
  uint64_t wide = 3;
  put(writer, &code, sizeof(code));
  put(writer, &flags, sizeof(flags));
  put(writer, &size, sizeof(size));
  for (const char *kind = shapes[code].fields; *kind != '\0'; kind++) {
    if (*kind == 'u' || *kind == 'i')
      put(writer, &word, sizeof(word));
    else if (*kind == 'U')
      put(writer, &wide, sizeof(wide));
    else if (*kind == 's')
      put_block(writer, "/a/path", 8);
    else if (*kind == 'l')
      put_block(writer, "one\0two\0", 8);
    else
      put_block(writer, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  }
  size = (uint32_t) (writer->end - start);
  memcpy(writer->bytes + start + 4, &size, sizeof(size));
}

/* Walks a plan as the monitor and the child do and touches everything they would. */
static unsigned consume(const unsigned char *plan, size_t size) {
  struct cursor cursor = {plan, plan + size, 0};
  struct op op;
  char *vector[16];
  unsigned sum = 0;
  CHECK(plan_kept(plan, size) <= size);
  while (plan_next(&cursor, &op) > 0) {
    for (size_t i = 0; shapes[op.code].fields[i] != '\0'; i++) {
      const struct field *field = &op.field[i];
      if (shapes[op.code].fields[i] == 's')
        CHECK(strlen(field->bytes) == field->length);
      if (shapes[op.code].fields[i] == 'l' && field_vector(field, vector, 16) > 0)
        for (char **each = vector; *each != NULL; each++)
          sum += (unsigned) strlen(*each);
      for (uint32_t at = 0; at < field->length; at++)
        sum += (unsigned char) field->bytes[at];
    }
  }
  return sum;
}

/* Validates a copy that ends where its allocation does. */
static int validate(const unsigned char *plan, size_t size) {
  unsigned char *copy = malloc(size + 1);
  uint32_t failed;
  memcpy(copy + 1, plan, size);
  int result = plan_validate(copy + 1, size, &failed);
  if (result == 0)
    consume(copy + 1, size);
  free(copy);
  return result;
}

static void every_operation(struct writer *writer) {
  writer->end = 0;
  for (uint16_t code = 0; code < sizeof(shapes) / sizeof(shapes[0]); code++)
    if (shapes[code].fields != NULL && code != OP_EXECVE && code != OP_HOLD)
      add(writer, code);
  add(writer, OP_EXECVE);
}

static void refuses(void) {
  static struct writer writer;
  writer.end = 0;
  CHECK(validate(writer.bytes, 0) == -EBADMSG);
  add(&writer, OP_STATE);
  CHECK(validate(writer.bytes, writer.end) == -EBADMSG); /* no end */
  add(&writer, OP_HOLD);
  CHECK(validate(writer.bytes, writer.end) == 0);
  add(&writer, OP_PIVOT);
  CHECK(validate(writer.bytes, writer.end) == -EBADMSG); /* goes on after the end */
  writer.end = 0;
  add(&writer, OP_HOLD);
  CHECK(validate(writer.bytes, writer.end) == -EBADMSG); /* no state directory */
  writer.end = 0;
  add(&writer, OP_STATE);
  add(&writer, OP_WRITE);
  add(&writer, OP_MAKE_CGROUP);
  add(&writer, OP_EXECVE);
  CHECK(validate(writer.bytes, writer.end) == -EBADMSG); /* stages out of order */
  /* A NUL inside a string would hide its rest. */
  writer.end = 0;
  add(&writer, OP_STATE);
  writer.bytes[8 + 4 + 3] = '\0';
  add(&writer, OP_EXECVE);
  CHECK(validate(writer.bytes, writer.end) == -EBADMSG);
}

int main(void) {
  static struct writer whole;
  refuses();
  every_operation(&whole);
  CHECK(validate(whole.bytes, whole.end) == 0);
  for (size_t size = 0; size < whole.end; size++)
    CHECK(validate(whole.bytes, size) != 0);
  unsigned accepted = 0;
  for (int round = 0; round < 200000; round++) {
    unsigned char mutant[sizeof(whole.bytes)];
    memcpy(mutant, whole.bytes, whole.end);
    for (uint32_t changes = 1 + random_below(4); changes > 0; changes--) {
      uint32_t at = random_below((uint32_t) whole.end);
      mutant[at] = (unsigned char) (random_below(2) ? random_below(256) : mutant[at] ^ (1u << random_below(8)));
    }
    accepted += validate(mutant, whole.end) == 0;
  }
  /* Both ways are walked: a validator that refuses everything would prove nothing. */
  CHECK(accepted > 1000 && accepted < 199000);
  puts("plan: ok");
}
