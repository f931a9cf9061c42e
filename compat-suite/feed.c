/* What stress.sh feeds: datagrams for syslogd, orphans and signals for PID 1, and pseudoterminals for getty. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* One of four clients. A full socket makes it wait. */
static int send_messages(long count, int client)
{
	struct sockaddr_un address = { AF_UNIX, "/dev/log" };
	int file = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[100];
	if (connect(file, (void *)&address, sizeof address))
		return 1;
	for (long n = 0; n < count; n++) {
		int length = sprintf(text, "<13>Jan  1 00:00:00 client%d: message %ld", client, n);
		if (send(file, text, length, 0) != length)
			return 1;
	}
	return 0;
}

static int messages(long count)
{
	int failed = 0, status;
	for (int client = 0; client < 4; client++)
		if (fork() == 0)
			_exit(send_messages(count, client));
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}

/* Parents of 500 children that end at once end without a look at them. */
static int orphans(long count)
{
	for (long n = 0; n < count; n += 500) {
		pid_t pid = fork();
		if (pid == 0) {
			for (int child = 0; child < 500 && n + child < count; child++) {
				pid = fork();
				if (pid == 0)
					_exit(0);
				if (pid < 0)
					child--;
			}
			_exit(0);
		}
		if (pid < 0)
			return 1;
		waitpid(pid, NULL, 0);
	}
	return 0;
}

static int signals(long count, pid_t pid)
{
	int kinds[] = { SIGHUP, SIGCHLD, SIGCONT };
	for (long n = 0; n < count; n++)
		if (kill(pid, kinds[n % 3]))
			return 1;
	return 0;
}

/* Prints the names of terminals, and keeps them until it is killed. What is written to them is read. */
static int terminals(long count)
{
	char text[4096];
	int last = 0, file;
	while (count-- > 0) {
		file = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (file < 0 || grantpt(file) || unlockpt(file))
			return 1;
		puts(ptsname(file));
		/* One end stays open, so that a getty that ends hangs nothing up. */
		open(ptsname(file), O_RDWR | O_NOCTTY);
		last = file;
	}
	fflush(stdout);
	for (;;) {
		for (file = 3; file <= last; file += 2)
			while (read(file, text, sizeof text) > 0)
				;
		usleep(50000);
	}
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;
	if (argc == 3 && !strcmp(argv[1], "messages"))
		return messages(count);
	if (argc == 3 && !strcmp(argv[1], "orphans"))
		return orphans(count);
	if (argc == 4 && !strcmp(argv[1], "signals"))
		return signals(count, atol(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "terminals"))
		return terminals(count);
	return 2;
}
