int area(int width, int height);
void say(const char *what, int number);

int main(void)
{
	say("api: area", area(6, 7));
	return 0;
}
