/* The log writer against a plain one that does a byte at a time: random text, random reads, two streams at once. */
#include "test.h"

#define TEXT (1u << 20)
#define EXPECTED (8u << 20)

static char path[] = "/tmp/gantry-test-log-XXXXXX";

/* Bytes a valid UTF-8 sequence at `data` has, 0 for an invalid byte; by decoding, unlike the code under test. */
static size_t utf8(const unsigned char *data, size_t left) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = data[0] < 0x80 ? 1 : data[0] >> 5 == 6 ? 2 : data[0] >> 4 == 14 ? 3 : data[0] >> 3 == 30 ? 4 : 0;
  if (length < 2 || length > left)
    return length == 1;
  uint32_t rune = data[0] & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if (data[i] >> 6 != 2)
      return 0;
    rune = rune << 6 | (data[i] & 63u);
  }
  return rune >= least[length] && rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff) ? length : 0;
}

static size_t escape(char *to, const unsigned char *data, size_t length) {
  if (length == 0)
    return (size_t) sprintf(to, "\\ufffd");
  if (length == 3 && data[0] == 0xe2 && data[1] == 0x80 && (data[2] == 0xa8 || data[2] == 0xa9))
    return (size_t) sprintf(to, "\\u202%c", data[2] == 0xa8 ? '8' : '9');
  if (*data == '"' || *data == '\\')
    return (size_t) sprintf(to, "\\%c", *data);
  if (*data == '\r')
    return (size_t) sprintf(to, "\\r");
  if (*data < 0x20 || *data == '<' || *data == '>' || *data == '&')
    return (size_t) sprintf(to, "\\u%04x", *data);
  memcpy(to, data, length);
  return length;
}

/* What the log members of a stream's lines are, one per line. */
static size_t reference(const unsigned char *data, size_t size, char *to) {
  size_t end = 0, piece = 0;
  bool open = false;
  for (size_t at = 0; at < size;) {
    if (data[at] == '\n') {
      end += (size_t) sprintf(to + end, "\\n\n");
      at++;
      piece = 0;
      open = false;
      continue;
    }
    size_t length = utf8(data + at, size - at), taken = length > 0 ? length : 1;
    if (piece + taken > 16384) {
      to[end++] = '\n';
      piece = 0;
    }
    end += escape(to + end, data + at, length);
    piece += taken;
    at += taken;
    open = true;
    if (piece == 16384) {
      to[end++] = '\n';
      piece = 0;
      open = false;
    }
  }
  if (open)
    to[end++] = '\n';
  return end;
}

static void fill(unsigned char *text, size_t size, int kind) {
  static const char *const runes[] = {"\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\xe2\x80\xa8", "\xed\xa0\x80", "\xff", "\xc0\x80", "\xf4\x90\x80\x80"};
  for (size_t at = 0; at < size;) {
    const char *rune = runes[random_below(8)];
    if (kind == 2 && random_below(3) == 0 && at + strlen(rune) <= size) {
      memcpy(text + at, rune, strlen(rune));
      at += strlen(rune);
    } else if (kind == 3)
      text[at++] = (unsigned char) random_below(256);
    else
      text[at++] = (unsigned char) (random_below(kind == 1 ? 40000 : 60) == 0 ? '\n' : " az<&>\"\\\r\t~"[random_below(random_below(4) ? 3 : 11)]);
  }
}

/* Every line has the right frame; the log members of one stream, one per line. */
static size_t collect(char *file, const char *stream, char *to) {
  char tail[64];
  size_t end = 0;
  snprintf(tail, sizeof(tail), "\",\"stream\":\"%s\",\"x\":1,\"time\":\"20", stream);
  for (char *line = file; *line != '\0';) {
    char *next = strchr(line, '\n');
    CHECK(next != NULL && strncmp(line, "{\"log\":\"", 8) == 0 && strncmp(next - 3, "Z\"}", 3) == 0);
    *next = '\0';
    char *found = strstr(line, tail);
    if (found != NULL) {
      memcpy(to + end, line + 8, (size_t) (found - line - 8));
      end += (size_t) (found - line - 8);
      to[end++] = '\n';
    }
    *next = '\n';
    line = next + 1;
  }
  return end;
}

static void round_trip(int kind) {
  static unsigned char text[2][TEXT];
  static char expected[EXPECTED], found[EXPECTED], file[2 * EXPECTED];
  size_t fed[2] = {0, 0};
  CHECK(ftruncate(open(path, O_WRONLY), 0) == 0);
  CHECK(log_open(path, 0, 1, "\"x\":1", 5) == 0);
  for (int stream = 0; stream < 2; stream++)
    fill(text[stream], TEXT, kind);
  while (fed[0] < TEXT || fed[1] < TEXT) {
    unsigned char buffer[LOG_TAIL + 65536];
    uint32_t stream = random_below(2), size = 1 + random_below(random_below(3) ? 65536 : 20);
    if (size > TEXT - fed[stream])
      size = (uint32_t) (TEXT - fed[stream]);
    memcpy(buffer + LOG_TAIL, text[stream] + fed[stream], size);
    log_feed((int) stream, buffer + LOG_TAIL, size);
    fed[stream] += size;
    if (random_below(20) == 0)
      log_trim();
  }
  log_end(0);
  log_end(1);
  log_close();
  int fd = open(path, O_RDONLY);
  ssize_t size = read(fd, file, sizeof(file) - 1);
  CHECK(size > 0 && (size_t) size < sizeof(file) - 1);
  close(fd);
  file[size] = '\0';
  for (int stream = 0; stream < 2; stream++) {
    size_t wanted = reference(text[stream], TEXT, expected);
    size_t got = collect(file, stream == 0 ? "stdout" : "stderr", found);
    CHECK(wanted == got);
    CHECK(memcmp(expected, found, wanted) == 0);
  }
}

int main(void) {
  CHECK(mkstemp(path) >= 0);
  for (int round = 0; round < 12; round++)
    round_trip(round % 4);
  unlink(path);
  puts("log: ok");
}
