#include <stdio.h>

void say(const char *what, int number)
{
	printf("%s %d\n", what, number);
}
