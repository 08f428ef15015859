void say(const char *what, int number);

int main(void)
{
	say("worker: jobs", 3);
	return 0;
}
