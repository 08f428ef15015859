/* Decoding and checking of the launch plan. The plan comes from our own daemon, but a mistake there must not become one here. */
#include "gantry.h"

#include <sched.h>

static const struct op_shape shapes[] = OP_SHAPES;

static const struct op_shape *shape_of(uint16_t code) {
  if (code >= sizeof(shapes) / sizeof(shapes[0]) || shapes[code].fields == NULL)
    return NULL;
  return &shapes[code];
}

enum stage op_stage(const struct op *op) {
  return shapes[op->code].stage;
}

/* A NUL at the very end and, for a single string, nowhere else. */
static bool terminated(const char *bytes, size_t length, bool single) {
  if (length == 0 || bytes[length - 1] != '\0')
    return !single && length == 0;
  return !single || memchr(bytes, '\0', length) == bytes + length - 1;
}

static int decode_field(char kind, const unsigned char **at, const unsigned char *end, struct field *field) {
  size_t left = (size_t) (end - *at);
  uint32_t word;
  *field = (struct field){0};
  if (kind == 'U') {
    if (left < sizeof(field->number))
      return -EBADMSG;
    memcpy(&field->number, *at, sizeof(field->number));
    *at += sizeof(field->number);
    return 0;
  }
  if (left < sizeof(word))
    return -EBADMSG;
  memcpy(&word, *at, sizeof(word));
  *at += sizeof(word);
  left -= sizeof(word);
  if (kind == 'u' || kind == 'i') {
    field->number = kind == 'u' ? word : (uint64_t) (int64_t) (int32_t) word;
    return 0;
  }
  size_t padded = ((size_t) word + 3) & ~(size_t) 3;
  if (padded > left)
    return -EBADMSG;
  field->bytes = (const char *) *at;
  field->length = word;
  if (kind != 'b' && !terminated(field->bytes, word, kind == 's'))
    return -EBADMSG;
  if (kind == 's')
    field->length--;
  *at += padded;
  return 0;
}

int plan_next(struct cursor *cursor, struct op *op) {
  struct {
    uint16_t code, flags;
    uint32_t size;
  } header;
  size_t left = (size_t) (cursor->end - cursor->at);
  op->index = cursor->index;
  if (left == 0)
    return 0;
  if (left < sizeof(header))
    return -EBADMSG;
  memcpy(&header, cursor->at, sizeof(header));
  const struct op_shape *shape = shape_of(header.code);
  if (shape == NULL || header.size < sizeof(header) || header.size > left || header.size % 4 != 0)
    return -EBADMSG;
  op->code = header.code;
  op->flags = header.flags;
  const unsigned char *at = cursor->at + sizeof(header);
  const unsigned char *end = cursor->at + header.size;
  for (size_t i = 0; shape->fields[i] != '\0'; i++)
    if (decode_field(shape->fields[i], &at, end, &op->field[i]) < 0)
      return -EBADMSG;
  if (at != end)
    return -EBADMSG;
  cursor->at = end;
  cursor->index++;
  return 1;
}

/* What the types alone do not say: lengths that later code relies on, and values that would do harm. */
static bool sensible(const struct op *op) {
  const struct field *field = op->field;
  switch (op->code) {
  case OP_NAMESPACES: {
    const uint64_t known = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWUSER;
    return (field[F_NAMESPACES_FLAGS].number & ~known) == 0;
  }
  case OP_LOG: return field[F_LOG_MAX_FILE].number >= 1 && field[F_LOG_EXTRA].length <= 16384;
  case OP_BIND_PORT: return field[F_BIND_PORT_ADDRESS].length >= 16 && field[F_BIND_PORT_ADDRESS].length <= 28;
  case OP_NETLINK_HOST: {
    const struct field *offsets = &field[F_NETLINK_HOST_PID_OFFSETS];
    for (size_t i = 0; i + 4 <= offsets->length; i += 4) {
      uint32_t offset;
      memcpy(&offset, offsets->bytes + i, sizeof(offset));
      if (field[F_NETLINK_HOST_BYTES].length < 4 || offset > field[F_NETLINK_HOST_BYTES].length - 4)
        return false;
    }
    return offsets->length % 4 == 0;
  }
  case OP_SECCOMP: return field[F_SECCOMP_FILTER].length % 8 == 0 && field[F_SECCOMP_FILTER].length / 8 <= UINT16_MAX;
  case OP_USER: return field[F_USER_GROUPS].length % 4 == 0;
  case OP_TARGET: return field[F_TARGET_PID].number > 1 && field[F_TARGET_PID].number <= INT32_MAX;
  case OP_EXECVE: return field[F_EXECVE_ARGUMENTS].length > 0;
  default: return true;
  }
}

int plan_validate(const unsigned char *plan, size_t size, uint32_t *failed) {
  struct cursor cursor = {plan, plan + size, 0};
  struct op op;
  enum stage stage = STAGE_KEEP;
  uint16_t last = 0;
  for (;;) {
    int more = plan_next(&cursor, &op);
    *failed = op.index;
    if (more < 0)
      return more;
    if (more == 0)
      break;
    /* In order of stages, beginning with the state directory, and nothing may follow the end of the child's work. */
    if (op_stage(&op) < stage || !sensible(&op) || (op.index == 0) != (op.code == OP_STATE) || last == OP_EXECVE || last == OP_HOLD)
      return -EBADMSG;
    stage = op_stage(&op);
    last = op.code;
  }
  return last == OP_EXECVE || last == OP_HOLD ? 0 : -EBADMSG;
}

size_t plan_kept(const unsigned char *plan, size_t size) {
  struct cursor cursor = {plan, plan + size, 0};
  struct op op;
  size_t kept = 0;
  while (plan_next(&cursor, &op) > 0 && op_stage(&op) == STAGE_KEEP)
    kept = (size_t) (cursor.at - plan);
  return kept;
}

int field_vector(const struct field *field, char **vector, size_t capacity) {
  size_t count = 0;
  for (const char *at = field->bytes; at < field->bytes + field->length; at += strlen(at) + 1) {
    if (count + 1 >= capacity)
      return -E2BIG;
    vector[count++] = (char *) (uintptr_t) at;
  }
  vector[count] = NULL;
  return (int) count;
}
