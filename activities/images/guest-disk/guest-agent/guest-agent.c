/*
 * Speaks as much of QEMU's guest agent protocol as a cloudlet needs to give a guest that was saved, or waited paused, the
 * right time and an identity of its own. A guest with the real agent (Debian: qemu-guest-agent) needs this not.
 *
 * A phone waits for all that it does, and an emulated guest takes tens of milliseconds to start a process: it starts none
 * but the image's own hook. For Linux on x86-64, without a C library, so that it is one small file in any guest.
 *
 *   guest-agent <>DEVICE >&0   serves the agent's virtio port
 *   guest-agent --reseed       has the kernel draw new random numbers at once; what Linux says is its status
 */

/* ---- Linux ---- */

enum {
	SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_ioctl = 16, SYS_access = 21, SYS_pipe = 22, SYS_dup2 = 33,
	SYS_nanosleep = 35, SYS_fork = 57, SYS_execve = 59, SYS_exit = 60, SYS_wait4 = 61, SYS_clock_settime = 227
};
enum { O_WRONLY = 1, O_CREAT = 0100, O_TRUNC = 01000, O_CLOEXEC = 02000000 };
enum { X_OK = 1, CLOCK_REALTIME = 0, RNDRESEEDCRNG = 0x5207 };
enum { standard_input = 0, standard_output = 1, standard_error = 2 };

struct timespec { long seconds; long nanoseconds; };

asm("system_call:\n"
    "	mov %rdi, %rax\n"
    "	mov %rsi, %rdi\n"
    "	mov %rdx, %rsi\n"
    "	mov %rcx, %rdx\n"
    "	mov %r8, %r10\n"
    "	syscall\n"
    "	ret\n"
    ".globl _start\n"
    "_start:\n"
    "	mov (%rsp), %rdi\n"
    "	lea 8(%rsp), %rsi\n"
    "	and $-16, %rsp\n"
    "	call main\n"
    "	mov %rax, %rdi\n"
    "	mov $60, %eax\n"
    "	syscall\n");

/* A negative answer is an error number. */
long system_call(long number, long first, long second, long third, long fourth);
#define call(number, first, second, third, fourth) \
	system_call(SYS_##number, (long)(first), (long)(second), (long)(third), (long)(fourth))

static long open_to_write(const char *path, long flags) { return call(open, path, O_WRONLY | O_CLOEXEC | flags, 0644, 0); }
static long write_to(long file, const char *bytes, long count) { return call(write, file, bytes, count, 0); }
static void close_file(long file) { call(close, file, 0, 0, 0); }

static void sleep_ms(long milliseconds)
{
	struct timespec time;
	time.seconds = milliseconds / 1000;
	time.nanoseconds = milliseconds % 1000 * 1000000;
	call(nanosleep, &time, 0, 0, 0);
}

/* ---- Text ---- */

static long length(const char *text)
{
	long n = 0;
	while (text[n]) n++;
	return n;
}

static int begins(const char *text, const char *with)
{
	while (*with) if (*text++ != *with++) return 0;
	return 1;
}

/* What comes behind the first `part` of a text; null where there is none. */
static const char *behind(const char *text, const char *part)
{
	for (; *text; text++) if (begins(text, part)) return text + length(part);
	return 0;
}

/* The string behind a key of a line of JSON, the first where it is a list; empty where there is none. */
static void copy_string(const char *line, const char *key, char *copy, long size)
{
	const char *text = behind(line, key);
	long n = 0;
	while (text && *text && *text != '"') text++;
	while (text && *text && *++text && *text != '"' && n < size - 1) copy[n++] = *text;
	copy[n] = 0;
}

/* The whole number behind a key of a line of JSON; 0 where there is none. */
static long number_behind(const char *line, const char *key)
{
	const char *text = behind(line, key);
	long value = 0;
	while (text && (*text == ' ' || *text == ':')) text++;
	while (text && *text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
	return value;
}

static int sextet(char letter)
{
	if (letter >= 'A' && letter <= 'Z') return letter - 'A';
	if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9') return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* Turns base64 into what it stands for, in place. Answers how many bytes that are. */
static long decode(char *text)
{
	long bits = 0, held = 0, n = 0, i;
	for (i = 0; sextet(text[i]) >= 0; i++) {
		bits = bits << 6 | sextet(text[i]);
		held += 6;
		if (held < 8) continue;
		held -= 8;
		text[n++] = bits >> held & 255;
	}
	return n;
}

/* ---- What a cloudlet asks for ---- */

static long set_time(long nanoseconds)
{
	struct timespec time;
	time.seconds = nanoseconds / 1000000000;
	time.nanoseconds = nanoseconds % 1000000000;
	return call(clock_settime, CLOCK_REALTIME, &time, 0, 0);
}

/*
 * What is written to /dev/urandom alone is used within a minute only, and until then the clones of one saved state have
 * the same numbers. Kernels with CONFIG_VMGENID do without; Debian's cloud kernel has none.
 */
static long reseed(const char *seed, long size)
{
	long answer, device = open_to_write("/dev/urandom", 0);
	if (device < 0) return device;
	write_to(device, seed, size);
	answer = call(ioctl, device, RNDRESEEDCRNG, 0, 0);
	close_file(device);
	return answer;
}

static void write_machine_id(const char *id)
{
	long file = open_to_write("/run/machine-id", O_CREAT | O_TRUNC);
	write_to(file, id, length(id));
	write_to(file, "\n", 1);
	close_file(file);
}

static const char hook[] = "/etc/cloudlet/refresh";

/* Runs the image's own hook to its end: the machine id is its argument, and the seed comes in. Its output is not the port's. */
static void run_hook(const char *id, const char *seed, long size)
{
	const char *words[3], *environment[2];
	int ends[2];
	long child;
	words[0] = hook; words[1] = id; words[2] = 0;
	environment[0] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"; environment[1] = 0;
	if (call(pipe, ends, 0, 0, 0) < 0) return;
	/* A pipe holds that much by itself, and a hook that reads nothing ends nobody. */
	write_to(ends[1], seed, size);
	close_file(ends[1]);
	child = call(fork, 0, 0, 0, 0);
	if (child == 0) {
		call(dup2, ends[0], standard_input, 0, 0);
		call(dup2, standard_error, standard_output, 0, 0);
		close_file(ends[0]);
		call(execve, hook, words, environment, 0);
		call(exit, 127, 0, 0, 0);
	}
	close_file(ends[0]);
	if (child > 0) call(wait4, child, 0, 0, 0);
}

/* All that the clones of a guest without a hook must not share is its random numbers and its machine id. */
static void refresh(const char *line)
{
	char id[64], seed[512];
	long size;
	copy_string(line, "\"arg\"", id, sizeof id);
	copy_string(line, "\"input-data\"", seed, sizeof seed);
	size = decode(seed);
	reseed(seed, size);
	if (call(access, hook, X_OK, 0, 0) == 0) run_hook(id, seed, size);
	else write_machine_id(id);
}

/* ---- The protocol: a line of JSON asks, and one answers ---- */

static void say(const char *answer) { write_to(standard_output, answer, length(answer)); }

/* In one piece: each is an interrupt to the host. */
static void say_number(const char *before, long value, const char *after)
{
	char text[128], digits[24];
	long n = 0, i = 0;
	while (*before) text[n++] = *before++;
	do digits[i++] = '0' + value % 10; while (value /= 10);
	while (i > 0) text[n++] = digits[--i];
	while (*after) text[n++] = *after++;
	write_to(standard_output, text, n);
}

static void answer(const char *line)
{
	if (behind(line, "\"guest-sync-delimited\"")) say_number("\377{\"return\":", number_behind(line, "\"id\""), "}\n");
	else if (behind(line, "\"guest-sync\"")) say_number("{\"return\":", number_behind(line, "\"id\""), "}\n");
	else if (behind(line, "\"guest-ping\"")) say("{\"return\":{}}\n");
	else if (behind(line, "\"guest-set-time\"")) {
		if (set_time(number_behind(line, "\"time\"")) == 0) say("{\"return\":{}}\n");
		else say("{\"error\":{\"class\":\"GenericError\",\"desc\":\"The clock cannot be set\"}}\n");
	}
	else if (behind(line, "\"guest-exec-status\"")) say("{\"return\":{\"exited\":true,\"exitcode\":0}}\n");
	else if (behind(line, "\"guest-exec\"") && behind(line, hook)) {
		refresh(line);
		say("{\"return\":{\"pid\":1,\"exited\":true}}\n");
	}
	else say("{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"This guest has a small agent\"}}\n");
}

/* Nothing is to be read while nobody listens on the host: for a moment after a restore, and while it has no libvirt. */
enum { shortest_pause_ms = 5, longest_pause_ms = 500 };

static void serve(void)
{
	static char lines[8192];
	long held = 0, pause_ms = shortest_pause_ms;
	for (;;) {
		long i, answered = 0, n = call(read, standard_input, lines + held, sizeof lines - held, 0);
		if (n <= 0) {
			held = 0;
			sleep_ms(pause_ms);
			if (pause_ms < longest_pause_ms) pause_ms += pause_ms / 4;
			continue;
		}
		pause_ms = shortest_pause_ms;
		for (i = held, held += n; i < held; i++) {
			if (lines[i] != '\n') continue;
			lines[i] = 0;
			answer(lines + answered);
			answered = i + 1;
		}
		/* A line that is too long is none of ours. */
		if (held == sizeof lines && answered == 0) answered = held;
		for (i = answered; i < held; i++) lines[i - answered] = lines[i];
		held -= answered;
	}
}

int main(int count, char **words)
{
	if (count > 1 && begins(words[1], "--reseed")) return -reseed(0, 0);
	serve();
	return 0;
}
