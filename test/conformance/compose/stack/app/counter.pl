# Counts requests in redis and says who it is.
use strict;
use IO::Socket::INET;
use Sys::Hostname;
$| = 1;
my $listener = IO::Socket::INET->new(LocalPort => 8000, Listen => 64, ReuseAddr => 1) or die "listen: $!";
$SIG{TERM} = sub { exit 0 };
while (my $client = $listener->accept) {
  my $request = <$client> // '';
  while (defined(my $line = <$client>)) { last if $line =~ /^\r?$/ }
  my ($number, $status) = (0, '200 OK');
  if ($request =~ m{^GET /health}) { $number = 'alive' }
  elsif (my $store = IO::Socket::INET->new(PeerAddr => $ENV{STORE}, Timeout => 5)) {
    print $store "INCR requests\r\n";
    ($number) = (<$store> // '') =~ /^:(\d+)/;
    print "request $number\n";
  } else { $status = '503 Service Unavailable' }
  my $body = "$number " . hostname() . "\n";
  print $client "HTTP/1.0 $status\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
  close $client;
}
