# Fails when no web server answers at the given address.
use strict;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:$ARGV[1]", Timeout => 3) or die "connect: $!\n";
print $server "GET /health HTTP/1.0\r\n\r\n";
my $answer = <$server> // '';
exit($answer =~ / 200 / ? 0 : 1);
