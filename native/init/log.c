/*
 * json-file logs, line for line as dockerd writes them (daemon/logger/jsonfilelog): members log, stream, attrs, time; an entry per line,
 * and one without newline per 16 KiB of a longer line; '<', '>' and '&' escaped as Go does, invalid UTF-8 as \ufffd.
 *
 * Each stream escapes into a buffer of its own as bytes come in, so an unfinished line waits there already escaped. One timestamp serves
 * all lines of one read, and bytes that need no escaping are copied sixteen at a time: that is where the speed comes from.
 */
#include "gantry.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Docker's: what is longer becomes several entries. */
#define MAX_PIECE 16384u
/* Written out when this much is complete. */
#define FLUSH_AT 65536u
/* A piece grows sixfold at worst (\u0001). */
#define BUFFER (FLUSH_AT + MAX_PIECE * 6 + 32768u)

struct line_stream {
  _Alignas(4096) unsigned char bytes[BUFFER];
  size_t complete; /* whole entries up to here */
  size_t end;      /* an unfinished one up to here; complete == end: none */
  size_t piece;    /* raw bytes in the unfinished entry */
  unsigned char tail[LOG_TAIL]; /* a UTF-8 sequence cut off by the end of a read */
  size_t tail_size;
};

static struct line_stream streams[2];

static struct {
  int fd;
  const char *path;
  uint64_t max_size;
  uint32_t max_file;
  const char *extra;
  size_t extra_length;
  uint64_t size;
  char time[40]; /* of the present read, with its closing characters */
  size_t time_length;
  time_t second; /* what the date part of `time` stands for */
} log_file = {.fd = -1};

#define OPENING "{\"log\":\""
#define STREAM_MEMBER(name) "\",\"stream\":\"" name "\""

static int reopen(int flags) {
  log_file.fd = open(log_file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0640);
  struct stat info;
  if (log_file.fd < 0 || fstat(log_file.fd, &info) < 0)
    return -errno;
  log_file.size = (uint64_t) info.st_size;
  return 0;
}

int log_open(const char *path, uint64_t max_size, uint32_t max_file, const char *extra, size_t extra_length) {
  log_file.path = path;
  log_file.max_size = max_size;
  log_file.max_file = max_file;
  log_file.extra = extra;
  log_file.extra_length = extra_length;
  return reopen(0);
}

/* path.1 is the newest of the old ones; with one file in all it is begun anew. */
static void rotate(void) {
  char from[PATH_MAX], to[PATH_MAX];
  close(log_file.fd);
  for (uint32_t n = log_file.max_file - 1; n > 0; n--) {
    snprintf(to, sizeof(to), "%s.%u", log_file.path, n);
    snprintf(from, sizeof(from), n > 1 ? "%s.%u" : "%s", log_file.path, n - 1);
    rename(from, to);
  }
  reopen(O_TRUNC);
}

/*
 * Writes the whole entries. A full disk loses them, as it does in Docker, but may not leave half an entry in the file.
 * A file that is full is rotated when more comes, not before: with one file in all its lines stay readable until then.
 */
static void flush(struct line_stream *stream) {
  if (stream->complete == 0)
    return;
  if (log_file.max_size > 0 && log_file.size >= log_file.max_size)
    rotate();
  if (write_full(log_file.fd, stream->bytes, stream->complete) == 0)
    log_file.size += stream->complete;
  else if (ftruncate(log_file.fd, (off_t) log_file.size) < 0)
    log_file.size = 0;
  memmove(stream->bytes, stream->bytes + stream->complete, stream->end - stream->complete);
  stream->end -= stream->complete;
  stream->complete = 0;
}

static void put(struct line_stream *stream, const void *bytes, size_t size) {
  memcpy(stream->bytes + stream->end, bytes, size);
  stream->end += size;
}

static void put_text(struct line_stream *stream, const char *text) {
  put(stream, text, strlen(text));
}

/* RFC3339Nano as Go prints it: a fraction without trailing zeros, absent when 0. */
static void stamp(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != log_file.second) {
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    strftime(log_file.time, sizeof(log_file.time), "%Y-%m-%dT%H:%M:%S", &utc);
    log_file.second = now.tv_sec;
  }
  char *at = log_file.time + 19;
  if (now.tv_nsec > 0) {
    uint32_t fraction = (uint32_t) now.tv_nsec;
    size_t digits = 9;
    for (; fraction % 10 == 0; fraction /= 10)
      digits--;
    *at = '.';
    for (size_t i = digits; i > 0; i--, fraction /= 10)
      at[i] = (char) ('0' + fraction % 10);
    at += digits + 1;
  }
  memcpy(at, "Z\"}\n", 4);
  log_file.time_length = (size_t) (at + 4 - log_file.time);
}

static void begin_piece(struct line_stream *stream) {
  if (stream->complete == stream->end)
    put_text(stream, OPENING);
}

static void finish_piece(int which, bool newline) {
  struct line_stream *stream = &streams[which];
  begin_piece(stream);
  if (newline)
    put_text(stream, "\\n");
  put_text(stream, which == 0 ? STREAM_MEMBER("stdout") : STREAM_MEMBER("stderr"));
  if (log_file.extra_length > 0) {
    put_text(stream, ",");
    put(stream, log_file.extra, log_file.extra_length);
  }
  put_text(stream, ",\"time\":\"");
  put(stream, log_file.time, log_file.time_length);
  stream->complete = stream->end;
  stream->piece = 0;
  if (stream->complete >= FLUSH_AT || (log_file.max_size > 0 && log_file.size + stream->complete >= log_file.max_size))
    flush(stream);
}

/*
 * Length of the UTF-8 sequence at `data`: 0 when it is cut off by the end, -1 when it is invalid (overlong, surrogate, beyond
 * U+10FFFF, stray). The bounds of the second byte are those of the Unicode standard's table 3-7.
 */
static int sequence(const unsigned char *data, size_t left) {
  unsigned char first = data[0];
  int length = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : -1;
  unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  for (int i = 1; i < length; i++) {
    if ((size_t) i >= left)
      return 0;
    if (data[i] < low || data[i] > high)
      return -1;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

/* Copies the longest run that needs no escaping, at most `limit` bytes; may write up to 15 bytes more than it counts. */
static size_t copy_plain(unsigned char *to, const unsigned char *from, size_t limit) {
  size_t done = 0;
#ifdef __SSE2__
  while (limit - done >= 16) {
    __m128i block = _mm_loadu_si128((const __m128i *) (from + done));
    _mm_storeu_si128((__m128i *) (to + done), block);
    /* Signed comparison: bytes from 0x80 on are negative and so caught together with the control characters. */
    __m128i special = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(block, _mm_set1_epi8('&')));
    /* '<' and '>' differ in one bit. */
    special = _mm_or_si128(special, _mm_cmpeq_epi8(_mm_or_si128(block, _mm_set1_epi8(2)), _mm_set1_epi8('>')));
    int mask = _mm_movemask_epi8(special);
    if (mask != 0)
      return done + (size_t) __builtin_ctz((unsigned) mask);
    done += 16;
  }
#endif
  for (; done < limit; done++) {
    unsigned char byte = from[done];
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\' || byte == '<' || byte == '>' || byte == '&')
      break;
    to[done] = byte;
  }
  return done;
}

/* One byte below 0x80 that copy_plain stopped at, newline excluded. */
static void put_escaped(struct line_stream *stream, unsigned char byte) {
  static const char hex[] = "0123456789abcdef";
  char unicode[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
  if (byte == '"' || byte == '\\')
    put(stream, (char[]){'\\', (char) byte}, 2);
  else if (byte == '\r')
    put_text(stream, "\\r");
  else
    put(stream, unicode, 6);
}

/* What copy_plain stopped at, newline excluded; `length` is the sequence's, not above 0 for an invalid byte. Returns the bytes taken. */
static size_t put_special(struct line_stream *stream, const unsigned char *data, int length) {
  if (data[0] < 0x80) {
    put_escaped(stream, data[0]);
    return 1;
  }
  if (length <= 0) {
    put_text(stream, "\\ufffd");
    return 1;
  }
  /* U+2028 and U+2029 end lines in JavaScript: Go escapes them. */
  if (length == 3 && data[0] == 0xe2 && data[1] == 0x80 && (data[2] & 0xfe) == 0xa8)
    put_text(stream, data[2] == 0xa8 ? "\\u2028" : "\\u2029");
  else
    put(stream, data, (size_t) length);
  return (size_t) length;
}

static void feed(int which, const unsigned char *data, size_t size, bool last) {
  struct line_stream *stream = &streams[which];
  while (size > 0) {
    if (*data == '\n') {
      finish_piece(which, true);
      data++;
      size--;
      continue;
    }
    begin_piece(stream);
    size_t room = MAX_PIECE - stream->piece;
    size_t taken = copy_plain(stream->bytes + stream->end, data, size < room ? size : room);
    stream->end += taken;
    if (taken == 0) {
      int length = *data < 0x80 ? 1 : sequence(data, size);
      if (length == 0 && !last)
        break;
      /* No sequence is torn at the border of two entries. */
      if (length > (int) room) {
        finish_piece(which, false);
        continue;
      }
      taken = put_special(stream, data, length);
    }
    stream->piece += taken;
    data += taken;
    size -= taken;
    if (stream->piece == MAX_PIECE)
      finish_piece(which, false);
  }
  stream->tail_size = size;
  memcpy(stream->tail, data, size);
}

void log_feed(int which, unsigned char *data, size_t size) {
  struct line_stream *stream = &streams[which];
  /* A rotation on a full disk has left none: perhaps there is room again. */
  if (log_file.fd < 0 && (log_file.path == NULL || reopen(0) < 0))
    return;
  stamp();
  size_t tail = stream->tail_size;
  memcpy(data - tail, stream->tail, tail);
  feed(which, data - tail, size + tail, false);
  flush(stream);
}

void log_end(int which) {
  struct line_stream *stream = &streams[which];
  if (log_file.fd < 0)
    return;
  stamp();
  unsigned char rest[LOG_TAIL];
  size_t size = stream->tail_size;
  memcpy(rest, stream->tail, size);
  feed(which, rest, size, true);
  if (stream->complete != stream->end)
    finish_piece(which, false);
  flush(stream);
}

void log_trim(void) {
  for (int which = 0; which < 2; which++) {
    size_t used = (streams[which].end + 4095) & ~(size_t) 4095;
    size_t whole = sizeof(streams[which].bytes) & ~(size_t) 4095;
    if (used < whole)
      madvise(streams[which].bytes + used, whole - used, MADV_DONTNEED);
  }
}

void log_close(void) {
  if (log_file.fd >= 0)
    close(log_file.fd);
  log_file.fd = -1;
}
