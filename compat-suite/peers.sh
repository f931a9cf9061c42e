#!/bin/sh
# Checks the clients and servers of the network against those that others wrote: ISC's and dnsmasq's DHCP, nginx, curl,
# unbound, chrony, vsftpd, lftp, tftp-hpa, inetutils. Everything runs in private namespaces, a server's and a client's with a
# wire between them. Prints a line for each check; status 1 when one fails. Usage, as root: peers.sh RBOX [CHECK]...
set -u
if [ "${1:-}" != --inside ]; then
    cd "$(dirname "$0")/.." || exit
    rbox=$(realpath "$1") || exit
    shift
    # Debian starts the daemons of a package, unless this file forbids it.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ] && printf '#!/bin/sh\nexit 101\n' >$policy; then
        chmod 755 $policy
        trap 'rm $policy' EXIT
    fi
    sh build-image/packages.sh bind9-dnsutils chrony curl dnsmasq-base inetutils-telnet iproute2 isc-dhcp-client \
        isc-dhcp-relay isc-dhcp-server lftp nginx-light ntpsec-ntpdate openssl python3-minimal tftp-hpa tftpd-hpa unbound \
        vsftpd || exit
    # The clock is not private: nothing may set it.
    exec unshare -m -p -f -n -u -i --mount-proc setpriv --bounding-set -sys_time,-sys_module sh compat-suite/peers.sh --inside "$rbox" "$@"
fi
rbox=$2
shift 2
[ $# -gt 0 ] || set -- dnsmasq dhcpd naks declines relay dhclient dnsmasq6 dhcpd6 nslookup dnsd ntpd wget \
    httpd ftp ftpd tftp telnetd
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /var/lib/dhcp
mkdir /run/bin /run/work /run/etc
cd /run/work || exit
# /etc can be changed, and the changes are lost.
cp -a /etc/. /run/etc && mount --bind /run/etc /etc
for name in $("$rbox" --list); do
    ln -s "$rbox" "/run/bin/$name"
done
# rbox's applet of that name, where the peer has the same.
r() {
    local name=$1
    shift
    "/run/bin/$name" "$@"
}
on() {
    nsenter -t $client -n "$@"
}
# Waits up to half a minute for a command to succeed.
await() {
    local n=0
    until eval "$1" >/dev/null 2>&1; do
        n=$((n + 1))
        [ $n -lt 300 ] || { echo "    never: $1"; return 1; }
        sleep 0.1
    done
}
# Starts a process that has a network namespace of its own; its PID is in $last.
other_host() {
    unshare -n sleep 1000000 &
    last=$!
    await '[ "$(readlink /proc/$last/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
}
other_host
client=$last
failed=0
# check NAME COMMAND: the command succeeds.
check() {
    if eval "$2"; then
        echo "ok      $1"
    else
        echo "FAILED  $1: $2"
        failed=1
    fi
}
jobs=
# Runs a command in the background until the end of the check.
start() {
    "$@" >>log 2>&1 &
    last=$!
    jobs="$jobs $last"
}
end() {
    for pid in $jobs; do
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    jobs=
}
# A wire with 10.0.0.1 and 2001:db8::1 at the server's end, v1, and nothing but a link-local address at the client's, v0.
wire() {
    ip link del v1 2>/dev/null
    ip link add v1 address 02:00:00:00:00:99 type veth peer name v0 address 02:00:00:00:00:01
    ip link set v0 netns $client
    ip link set lo up
    on ip link set lo up
    ip addr add 10.0.0.1/24 dev v1
    ip addr add 2001:db8::1/64 nodad dev v1
    ip link set v1 up
    on ip link set v0 up
    await 'ip -6 addr show dev v1 | grep fe80 | grep -v tentative'
    await 'on ip -6 addr show dev v0 | grep fe80 | grep -v tentative'
}
# The wire with 10.0.0.2 and 2001:db8::2 at the client's end.
numbered() {
    wire
    on ip addr add 10.0.0.2/24 dev v0
    on ip addr add 2001:db8::2/64 nodad dev v0
}
# What a DHCP client calls: sets the address, and writes the event and its settings to `events`.
cat >script <<'END'
#!/bin/sh
PATH=/usr/sbin:/usr/bin
case $1 in
bound | renew)
    [ -z "${ip:-}" ] || ip addr replace "$ip/$mask" dev $interface
    [ -z "${ipv6:-}" ] || ip addr replace "$ipv6/128" dev $interface
    ;;
deconfig) ip -4 addr flush dev $interface ;;
esac
echo "$1 ${ip:-} ${subnet:-} ${router:-} ${dns:-} ${domain:-} ${lease:-} ${ipv6:-} ${ipv6prefix:-} ${search:-}" >>/run/work/events
END
chmod 755 script
# Starts udhcpc in the client's namespace; what it says is in `said`.
udhcpc() {
    rm -f events
    on /run/bin/udhcpc -f -i v0 -s /run/work/script "$@" >said 2>&1 &
    last=$!
    jobs="$jobs $last"
}
udhcpc6() {
    rm -f events
    on /run/bin/udhcpc6 -f -i v0 -s /run/work/script "$@" >said 2>&1 &
    last=$!
    jobs="$jobs $last"
}
dhcpd_conf() {
    : >/var/lib/dhcp/dhcpd.leases
    cat >dhcpd.conf
}
isc() {
    start dhcpd -4 -d -cf dhcpd.conf -lf /var/lib/dhcp/dhcpd.leases -pf /run/dhcpd.pid "$@" v1
    server=$last
    await 'ss -lun | grep -q :67'
}
listens() {
    await "ss -Hlntu sport = :$1 | grep -q ."
}

test_dnsmasq() {
    wire
    start dnsmasq -k -C /dev/null -u root -p 0 -i v1 --bind-interfaces -F 10.0.0.50,10.0.0.60,2m -l leases \
        -O 3,10.0.0.1 -O 6,10.0.0.7,10.0.0.8 -O 15,a.org -O 121,10.9.0.0/16,10.0.0.3 --log-dhcp --dhcp-authoritative
    listens 67
    udhcpc -p pid -x hostname:box -F box.a.org -R
    check 'udhcpc and dnsmasq: a lease' "await 'grep -q \"^bound 10.0.0.5. 255.255.255.0 10.0.0.1 10.0.0.7 10.0.0.8 a.org 120\" events'"
    check 'udhcpc and dnsmasq: the name of the client' 'grep -q " box " leases'
    kill -USR1 "$(cat pid)"
    check 'udhcpc and dnsmasq: renewal' "await 'grep -q ^renew events'"
    kill "$(cat pid)"
    check 'udhcpc and dnsmasq: release' "await '! test -s leases'"
    end
}

test_dhcpd() {
    wire
    dhcpd_conf <<'END'
authoritative; default-lease-time 8; max-lease-time 8; min-lease-time 8;
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.50 10.0.0.60; option routers 10.0.0.1; option domain-name "a.org"; }
END
    isc
    udhcpc -T 1 -t 2
    check 'udhcpc and ISC dhcpd: a lease' "await 'grep -q \"^bound 10.0.0.5.* 8 \" events'"
    check 'udhcpc and ISC dhcpd: a renewal at half of the lease' "await 'grep -q ^renew events'"
    # The server misses the request to itself, and hears the one to all.
    kill $server
    wait $server 2>/dev/null
    rm events
    await 'grep -c "renew to server 10.0.0.1" said | grep 2'
    isc
    check 'udhcpc and ISC dhcpd: rebinding' "await 'grep -q ^renew events' && grep -q 'renew to server 255.255.255.255' said"
    kill $server
    check 'udhcpc and ISC dhcpd: the lease ends' "await 'grep -q ^deconfig events'"
    end
}

test_naks() {
    wire
    start dnsmasq -k -C /dev/null -u root -p 0 -i v1 --bind-interfaces -F 10.0.0.50,10.0.0.60,2m -l leases
    server=$last
    listens 67
    udhcpc -p pid
    await 'grep ^bound events'
    # The same server, for another network.
    kill $server
    wait $server 2>/dev/null
    rm leases
    ip addr flush dev v1
    ip addr add 10.5.0.1/24 dev v1
    ip addr add 10.0.0.1/32 dev v1
    start dnsmasq -k -C /dev/null -u root -p 0 -i v1 --bind-interfaces -F 10.5.0.70,10.5.0.80,2m -l leases \
        --dhcp-authoritative
    listens 67
    kill -USR1 "$(cat pid)"
    check 'udhcpc and dnsmasq: a NAK' "await 'grep -q ^nak events'"
    check 'udhcpc and dnsmasq: another lease after it' "await 'grep -q \"^bound 10.5.0.[78]\" events'"
    end
}

test_declines() {
    wire
    dhcpd_conf <<'END'
authoritative; ping-check false; default-lease-time 600; abandon-lease-time 100;
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.50 10.0.0.51; }
END
    ip addr add 10.0.0.51/24 dev v1
    ip addr add 10.0.0.50/24 dev v1
    isc
    udhcpc -a500
    check 'udhcpc and ISC dhcpd: a decline' "await 'grep -q declining said' && await 'grep -q abandoned /var/lib/dhcp/dhcpd.leases'"
    end
}

test_relay() {
    wire
    other_host
    jobs=$last
    far=$last
    # The client is at v0; the relay is here, between v1 and w1; the server is beyond w0.
    ip link add w1 type veth peer name w0
    ip link set w0 netns $far
    ip addr add 10.1.0.1/24 dev w1
    ip link set w1 up
    for words in 'link set lo up' 'addr add 10.1.0.2/24 dev w0' 'link set w0 up' 'route add default via 10.1.0.1'; do
        # shellcheck disable=SC2086 # words are meant to be split
        nsenter -t $far -n ip $words
    done
    dhcpd_conf <<'END'
authoritative; default-lease-time 600;
subnet 10.1.0.0 netmask 255.255.255.0 { }
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.50 10.0.0.60; option routers 10.0.0.1; }
END
    echo 1 >/proc/sys/net/ipv4/ip_forward
    start nsenter -t $far -n dhcpd -4 -d -cf dhcpd.conf -lf /var/lib/dhcp/dhcpd.leases -pf /run/far.pid w0
    await "nsenter -t $far -n ss -lun | grep -q :67"
    start /run/bin/dhcprelay v1 w1 10.1.0.2
    relay=$last
    listens 67
    udhcpc -q
    check 'udhcpc, dhcprelay and ISC dhcpd' "await 'grep -q \"^bound 10.0.0.5\" events'"
    kill $relay
    wait $relay 2>/dev/null
    start dhcrelay -4 -d -iu w1 -id v1 10.1.0.2
    listens 67
    udhcpc -q
    check 'udhcpc, ISC dhcrelay and ISC dhcpd' "await 'grep -q \"^bound 10.0.0.5\" events'"
    end
}

test_dhclient() {
    wire
    cat >udhcpd.conf <<'END'
start 10.0.0.50
end 10.0.0.60
interface v1
lease_file /run/work/given
pidfile /run/work/pid
opt subnet 255.255.255.0
opt router 10.0.0.1
opt dns 10.0.0.7 10.0.0.8
opt domain a.org
opt search a.org b.org
opt staticroutes 10.9.0.0/16 10.0.0.3
opt lease 600
END
    rm -f pid
    start /run/bin/udhcpd -f -a 200 udhcpd.conf
    server=$last
    await 'test -s pid'
    : >dhclient.leases
    on dhclient -4 -v -1 -sf /bin/true -pf /run/work/dhclient.pid -lf /run/work/dhclient.leases v0 >said 2>&1
    check 'udhcpd and dhclient: a lease' 'grep -q "fixed-address 10.0.0.[56]" dhclient.leases'
    check 'udhcpd and dhclient: the options' 'grep -q "routers 10.0.0.1;" dhclient.leases && grep -q "domain-name-servers 10.0.0.7,10.0.0.8;" dhclient.leases && grep -q "domain-search \"a.org.\", \"b.org" dhclient.leases'
    address=$(sed -n 's/.*fixed-address \(.*\);/\1/p' dhclient.leases | head -n 1)
    on ip addr add "$address/24" dev v0
    on dhclient -4 -v -r -sf /bin/true -pf /run/work/dhclient.pid -lf /run/work/dhclient.leases v0 >said 2>&1
    kill -USR1 $server
    check 'udhcpd and dhclient: a release' "await 'r dumpleases -f given | grep -q expired'"
    on ip addr flush dev v0
    on dhclient -4 -v -1 -sf /bin/true -pf /run/work/dhclient.pid -lf /run/work/dhclient.leases v0 >said 2>&1
    check 'udhcpd and dhclient: the same address again' 'grep -q "bound to $address" said'
    end
}

test_dnsmasq6() {
    wire
    start dnsmasq -k -C /dev/null -u root -p 0 -i v1 --bind-interfaces -F 2001:db8::50,2001:db8::60,64,2m \
        -l leases -O option6:dns-server,[2001:db8::7] -O option6:domain-search,a.org,b.org --log-dhcp
    listens 547
    udhcpc6 -p pid -T 1 -R
    check 'udhcpc6 and dnsmasq: a lease' "await 'grep -q \"^bound  *2001:db8::7  120 2001:db8::[56].  a.org b.org\" events'"
    kill -USR1 "$(cat pid)"
    check 'udhcpc6 and dnsmasq: renewal' "await 'grep -q ^renew events'"
    kill "$(cat pid)"
    check 'udhcpc6 and dnsmasq: release' "await '! grep -q 2001:db8::[56] leases'"
    udhcpc6 -l -q
    check 'udhcpc6 and dnsmasq: options alone' "await 'grep -q \"^bound  *2001:db8::7    *a.org b.org\" events'"
    end
}

test_dhcpd6() {
    wire
    : >/var/lib/dhcp/dhcpd6.leases
    cat >dhcpd6.conf <<'END'
authoritative; default-lease-time 20; preferred-lifetime 10; option dhcp-renewal-time 3; option dhcp-rebinding-time 6;
option dhcp6.name-servers 2001:db8::7;
option dhcp6.rapid-commit;
subnet6 2001:db8::/64 { range6 2001:db8::50 2001:db8::60; prefix6 2001:db8:100:: 2001:db8:1ff:: /56; }
END
    start dhcpd -6 -d -cf dhcpd6.conf -lf /var/lib/dhcp/dhcpd6.leases -pf /run/dhcpd6.pid v1
    server=$last
    listens 547
    udhcpc6 -d -p pid -T 1
    check 'udhcpc6 and ISC dhcpd: an address and a prefix' "await 'grep -q \"^bound .*2001:db8::[56]. 2001:db8:1[0-9a-f]*::/56\" events'"
    check 'udhcpc6 and ISC dhcpd: rapid commit' '! grep -q request said'
    check 'udhcpc6 and ISC dhcpd: a renewal at its time' "await 'grep -q ^renew events'"
    kill $server
    wait $server 2>/dev/null
    check 'udhcpc6 and ISC dhcpd: rebinding' "await 'grep -q \"sending rebind\" said'"
    end
}

test_nslookup() {
    numbered
    cat >unbound.conf <<'END'
server:
    interface: 10.0.0.1
    interface: 2001:db8::1
    access-control: 0.0.0.0/0 allow
    access-control: ::/0 allow
    chroot: ""
    username: ""
    directory: /run/work
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    module-config: iterator
    root-hints: ""
    local-zone: a.org static
    local-data: "box.a.org 60 A 10.0.0.7"
    local-data: "box.a.org 60 AAAA 2001:db8::7"
    local-data: "www.a.org 60 CNAME box.a.org"
    local-data: "a.org 60 MX 10 box.a.org"
    local-data: 'a.org 60 TXT "first" "second \"quoted\""'
    local-data: "_sip._udp.a.org 60 SRV 1 2 5060 box.a.org"
    local-data: "a.org 60 SOA ns.a.org me.a.org 1 2 3 4 5"
    local-data-ptr: "10.0.0.7 box.a.org"
    local-data-ptr: "2001:db8::7 box.a.org"
    local-zone: 0.10.in-addr.arpa static
END
    # An answer that needs TCP.
    for n in $(seq 1 200); do
        echo "    local-data: \"many.a.org 60 A 10.1.0.$n\""
    done >>unbound.conf
    start unbound -c unbound.conf
    listens 53
    ask() {
        on /run/bin/nslookup "$@" >said 2>&1
    }
    check 'nslookup and unbound: addresses' 'ask box.a.org 10.0.0.1 && grep -q "^Address: 10.0.0.7" said && grep -q "^Address: 2001:db8::7" said'
    check 'nslookup and unbound: through IPv6' 'ask box.a.org 2001:db8::1 && grep -q "^Address: 10.0.0.7" said'
    check 'nslookup and unbound: an alias' 'ask www.a.org 10.0.0.1 && grep -q "canonical name = box.a.org" said'
    check 'nslookup and unbound: names of addresses' 'ask 10.0.0.7 10.0.0.1 && grep -q "name = box.a.org" said && ask 2001:db8::7 10.0.0.1 && grep -q "name = box.a.org" said'
    check 'nslookup and unbound: MX, TXT, SRV, SOA' 'ask -type=mx -type=txt -type=soa a.org 10.0.0.1 && grep -q "mail exchanger = 10 box.a.org" said && grep -q first said && grep -q ns.a.org said && ask -type=srv _sip._udp.a.org 10.0.0.1 && grep -q "1 2 5060 box.a.org" said'
    check 'nslookup and unbound: no such name' '! ask none.a.org 10.0.0.1 && grep -q NXDOMAIN said'
    check 'nslookup and unbound: a long answer by TCP' 'ask -type=a many.a.org 10.0.0.1 && test $(grep -c "^Address: 10.1.0" said) = 200'
    echo 'nameserver 10.0.0.1' >/etc/resolv.conf
    check 'ping and unbound: the resolver' 'on /run/bin/ping -c 1 -W 1 box.a.org 2>&1 | grep -q "(10.0.0.7)"'
    end
}

test_dnsd() {
    numbered
    printf '%s\n' 'box 10.0.0.7' 'six 2001:db8::7' >dnsd.conf
    start /run/bin/dnsd -c dnsd.conf -i 10.0.0.1
    listens 53
    ask() {
        on dig +time=2 +tries=1 @10.0.0.1 "$@" >said 2>&1
    }
    check 'dnsd and dig: an address' 'ask +short box && grep -qx 10.0.0.7 said'
    check 'dnsd and dig: IPv6' 'ask +short six AAAA && grep -qx 2001:db8::7 said'
    check 'dnsd and dig: the name of an address' 'ask +short -x 10.0.0.7 && grep -q "^box" said'
    check 'dnsd and dig: no such name, without warnings' 'ask none && grep -q NXDOMAIN said && ! grep -qi "malformed\|extra bytes" said'
    check 'dnsd and dig: a type that it has not' 'ask box MX && grep -q "status: NOERROR" said && ! grep -qi "malformed\|extra bytes" said'
    check 'dnsd and dig: without EDNS' 'ask +noedns +short box && grep -qx 10.0.0.7 said'
    end
}

# No clock is set: the right to do so was dropped.
test_ntpd() {
    numbered
    printf '1 MD5 ASCII:secret\n2 SHA1 HEX:%s\n' 0102030405060708090a0b0c0d0e0f1011121314 >chrony.keys
    printf '1 M secret\n2 SHA1 0102030405060708090a0b0c0d0e0f1011121314\n' >keys
    printf '1 M wrong\n' >wrong
    cat >chrony.conf <<'END'
local stratum 8
allow
cmdport 0
bindcmdaddress /
pidfile /run/work/chronyd.pid
keyfile /run/work/chrony.keys
END
    start chronyd -d -x -u root -f chrony.conf
    server=$last
    listens 123
    # A second is enough for a first answer; -w goes on until it is ended.
    ask() {
        rm -f said
        nsenter -t $client -n timeout -k 1 40 /run/bin/ntpd -n -d -w "$@" >said 2>&1 &
        await 'grep -q offset said'
        kill $! 2>/dev/null
        wait $! 2>/dev/null
        grep -q 'reply from .*offset' said
    }
    check 'ntpd and chronyd: the time' 'ask -p 10.0.0.1'
    check 'ntpd and chronyd: with a port' 'ask -p 10.0.0.1:123'
    check 'ntpd and chronyd: a key of MD5' 'ask -k keys -p keyno:1:10.0.0.1'
    check 'ntpd and chronyd: a key of SHA1' 'ask -k keys -p keyno:2:10.0.0.1'
    check 'ntpd and chronyd: a wrong key' '! ask -k wrong -p keyno:1:10.0.0.1'
    kill $server
    wait $server 2>/dev/null
    start /run/bin/ntpd -n -l -w -k keys
    listens 123
    printf 'server 10.0.0.1 iburst maxsamples 4\npidfile /run/work/c.pid\ncmdport 0\nbindcmdaddress /\nport 0\n' >client.conf
    check 'ntpd and chronyd: serve the time' 'on timeout 30 chronyd -Q -u root -t 20 -f client.conf >said 2>&1; grep -q "System clock wrong by" said'
    printf 'server 10.0.0.1 iburst key 1\nkeyfile /run/work/chrony.keys\npidfile /run/work/c.pid\ncmdport 0\nbindcmdaddress /\nport 0\n' >client.conf
    check 'ntpd and chronyd: serve it with a key' 'on timeout 30 chronyd -Q -u root -t 20 -f client.conf >said 2>&1; grep -q "System clock wrong by" said'
    check 'ntpd and ntpdate' 'on ntpdate -q 10.0.0.1 >said 2>&1'
    end
}

nginx_conf() {
    mkdir -p www logs
    seq 1 200000 >www/file
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=box.a.org \
        -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:box.a.org,IP:10.0.0.1 >/dev/null 2>&1
    echo "me:$(openssl passwd -apr1 secret)" >htpasswd
    cat >nginx.conf <<'END'
daemon off; master_process off; pid /run/work/nginx.pid; error_log /run/work/error.log;
events {}
http {
    access_log off; default_type text/plain;
    client_body_temp_path /run/work/t1; proxy_temp_path /run/work/t2; fastcgi_temp_path /run/work/t3;
    uwsgi_temp_path /run/work/t4; scgi_temp_path /run/work/t5;
    gzip on; gzip_types text/plain; gzip_min_length 1;
    server {
        listen 10.0.0.1:80; listen [2001:db8::1]:80; listen 10.0.0.1:443 ssl;
        ssl_certificate /run/work/cert.pem; ssl_certificate_key /run/work/key.pem;
        root /run/work/www;
        location /moved { return 301 /file; }
        location /away { return 302 http://[2001:db8::1]/file; }
        location /loop { return 302 /loop; }
        location /secret { auth_basic "who"; auth_basic_user_file /run/work/htpasswd; alias /run/work/www/file; }
        location /post { if ($request_method != POST) { return 405; } return 200 "posted $http_content_type $http_content_length"; }
        location /header { return 200 "$http_x_mine $http_user_agent"; }
        location /none { return 404; }
        location /empty { return 204; }
    }
}
END
}

test_wget() {
    numbered
    nginx_conf
    start nginx -c /run/work/nginx.conf -e /run/work/error.log
    listens 443
    get() {
        on /run/bin/wget "$@" 2>said
    }
    check 'wget and nginx: a file' 'get -q -O got http://10.0.0.1/file && cmp got www/file'
    check 'wget and nginx: IPv6' 'get -q -O got "http://[2001:db8::1]/file" && cmp got www/file'
    check 'wget and nginx: the rest of a file' 'head -c 1000 www/file >got && get -q -c -O got http://10.0.0.1/file && cmp got www/file'
    check 'wget and nginx: a complete file' 'get -c -O got http://10.0.0.1/file && cmp got www/file'
    check 'wget and nginx: redirections' 'get -q -O got http://10.0.0.1/moved && cmp got www/file && get -q -O got http://10.0.0.1/away && cmp got www/file'
    check 'wget and nginx: a loop' '! get -q -O got http://10.0.0.1/loop && grep -q redirections said'
    check 'wget and nginx: chunks' 'get -q -O got --header "Accept-Encoding: gzip" http://10.0.0.1/file && gunzip <got | cmp - www/file'
    check 'wget and nginx: a password' 'get -q -O got http://me:secret@10.0.0.1/secret && cmp got www/file && ! get -q -O got http://me:wrong@10.0.0.1/secret'
    check 'wget and nginx: POST' 'get -q -O got --post-data=abc http://10.0.0.1/post && grep -qx "posted application/x-www-form-urlencoded 3" got'
    check 'wget and nginx: headers' 'get -q -O got -U me --header "X-Mine: yes" http://10.0.0.1/header && grep -qx "yes me" got'
    check 'wget and nginx: an error' '! get -O got http://10.0.0.1/none && grep -q "404 Not Found" said'
    check 'wget and nginx: --spider' 'get --spider http://10.0.0.1/file && ! get -q --spider http://10.0.0.1/none'
    check 'wget and nginx: -S' 'get -S -O got http://10.0.0.1/file && grep -q "Server: nginx" said'
    check 'wget and nginx: no content' 'get -O got http://10.0.0.1/empty'
    tls=${rbox%/*}/ssl_client
    [ -x "$tls" ] || { echo "        no $tls: no checks of HTTPS"; end; return; }
    cp "$tls" /run/bin
    get() {
        on env PATH=/run/bin SSL_CERT_FILE=/run/work/cert.pem wget "$@" 2>said
    }
    check 'wget and nginx: HTTPS' 'get -q -O got https://10.0.0.1/file && cmp got www/file'
    check 'wget and nginx: an unknown certificate' '! on env PATH=/run/bin wget -q -O got https://10.0.0.1/file 2>said && on env PATH=/run/bin wget -q -O got --no-check-certificate https://10.0.0.1/file'
    end
}

test_httpd() {
    numbered
    mkdir -p site/cgi-bin site/dir
    seq 1 100000 >site/file
    gzip -k site/file
    echo hello >site/dir/index.html
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; echo "$REQUEST_METHOD $QUERY_STRING $CONTENT_LENGTH"; cat | md5sum\n' >site/cgi-bin/post
    chmod 755 site/cgi-bin/post
    printf '/dir:me:secret\n' >httpd.conf
    start /run/bin/httpd -f -p 80 -h site -c /run/work/httpd.conf
    listens 80
    get() {
        on curl -s -S -m 10 "$@" 2>said
    }
    url=http://10.0.0.1
    check 'httpd and curl: a file' 'get $url/file | cmp - site/file'
    check 'httpd and curl: IPv6' 'get -g "http://[2001:db8::1]/file" | cmp - site/file'
    check 'httpd and curl: gzip' 'get -H "Accept-Encoding: gzip" $url/file | cmp - site/file.gz && get --compressed $url/file | cmp - site/file'
    check 'httpd and curl: ranges' 'test "$(get -r 0-3 $url/file | xxd -p)" = 310a320a && test "$(get -r -7 $url/file)" = 100000 && get -r 5- $url/file | cmp - site/file -i 0:5'
    check 'httpd and curl: several ranges' 'get -i -r 0-1,4-5 $url/file >got && grep -q "^HTTP/1.1 206" got && grep -qi "^Content-Type: multipart/byteranges" got && grep -q "Content-Range: bytes 4-5/" got'
    check 'httpd and curl: a range out of the file' 'get -i -r 9999999- $url/file | head -n 1 | grep -q 416'
    check 'httpd and curl: HEAD' 'get -I $url/file | grep -qi "^Content-Length: $(stat -c %s site/file)"'
    check 'httpd and curl: not modified' 'get -i -z site/file $url/file | head -n 1 | grep -q 304'
    check 'httpd and curl: a directory' 'get -i -u me:secret $url/dir | grep -qi "^Location:.*/dir/" && get -u me:secret $url/dir/ | grep -qx hello'
    check 'httpd and curl: a password' 'get -i $url/dir/ | head -n 1 | grep -q 401 && get -i -u me:wrong $url/dir/ | head -n 1 | grep -q 401'
    check 'httpd and curl: a connection for several files' 'get -v -o got -o got $url/file $url/file && grep -q "Re-using existing connection" said'
    sum=$(md5sum <site/file)
    check 'httpd and curl: POST to CGI' 'get --data-binary @site/file "$url/cgi-bin/post?a=b" | tr "\n" " " | grep -q "POST a=b $(stat -c %s site/file) $sum"'
    check 'httpd and curl: POST in chunks to CGI' 'get -H "Transfer-Encoding: chunked" --data-binary @site/file $url/cgi-bin/post | grep -q "^$sum"'
    check 'httpd and curl: HTTP/1.0' 'get -0 $url/file | cmp - site/file'
    check 'httpd and curl: no such file' 'get -i $url/none | head -n 1 | grep -q 404'
    check 'httpd and curl: out of the directory' 'get -i --path-as-is $url/../httpd.conf | head -n 1 | grep -q "40[04]"'
    check 'httpd and wget of rbox' 'on /run/bin/wget -q -O got $url/file && cmp got site/file'
    end
}

vsftpd_conf() {
    mkdir -p ftp/pub ftp/in empty
    chmod 755 /run/work ftp ftp/pub
    chown ftp ftp/in
    seq 1 50000 >ftp/pub/file
    cat >vsftpd.conf <<'END'
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root=/run/work/ftp
write_enable=YES
anon_upload_enable=YES
anon_umask=022
anon_other_write_enable=YES
secure_chroot_dir=/run/work/empty
ascii_download_enable=YES
seccomp_sandbox=NO
END
}

test_ftp() {
    numbered
    vsftpd_conf
    start vsftpd /run/work/vsftpd.conf
    listens 21
    check 'ftpget and vsftpd: a file' 'on /run/bin/ftpget 10.0.0.1 got pub/file 2>said && cmp got ftp/pub/file'
    check 'ftpget and vsftpd: IPv6' 'on /run/bin/ftpget 2001:db8::1 got pub/file 2>said && cmp got ftp/pub/file'
    check 'ftpget and vsftpd: the rest of a file' 'head -c 1000 ftp/pub/file >got && on /run/bin/ftpget -c 10.0.0.1 got pub/file 2>said && cmp got ftp/pub/file'
    check 'ftpget and vsftpd: to standard output' 'on /run/bin/ftpget 10.0.0.1 - pub/file 2>said | cmp - ftp/pub/file'
    check 'ftpget and vsftpd: no such file' '! on /run/bin/ftpget 10.0.0.1 none pub/none 2>said && grep -q 550 said && ! test -e none'
    check 'ftpput and vsftpd: a file' 'on /run/bin/ftpput 10.0.0.1 in/put ftp/pub/file 2>said && cmp ftp/in/put ftp/pub/file'
    check 'ftpput and vsftpd: where writing is forbidden' '! on /run/bin/ftpput 10.0.0.1 pub/put ftp/pub/file 2>said'
    check 'wget and vsftpd: a file' 'on /run/bin/wget -q -O got ftp://10.0.0.1/pub/file 2>said && cmp got ftp/pub/file'
    check 'wget and vsftpd: the rest of a file' 'head -c 1000 ftp/pub/file >got && on /run/bin/wget -q -c -O got ftp://10.0.0.1/pub/file 2>said && cmp got ftp/pub/file'
    end
}

test_ftpd() {
    numbered
    mkdir -p served/dir
    seq 1 50000 >served/file
    printf 'one\ntwo\n' >served/lines
    chmod 777 served served/dir
    start /run/bin/tcpsvd -E 0.0.0.0 21 /run/bin/ftpd -w -a nobody served
    start /run/bin/tcpsvd -E 2001:db8::1 21 /run/bin/ftpd -a nobody served
    listens 21
    lines() {
        on lftp -c "set net:max-retries 1; set net:timeout 5; set ftp:ssl-allow no; open $1; $2" >said 2>&1
    }
    url=ftp://10.0.0.1
    check 'ftpd and lftp: a list' 'lines 10.0.0.1 "cls -1" && grep -qx file said && grep -qx dir/ said'
    check 'ftpd and lftp: a long list' 'lines 10.0.0.1 "ls" && grep -q "^-rw.* file" said'
    check 'ftpd and lftp: get' 'rm -f got && lines 10.0.0.1 "get file -o got" && cmp got served/file'
    check 'ftpd and lftp: put, rename, remove' 'lines 10.0.0.1 "put got -o new; mv new dir/newer" && cmp got served/dir/newer && lines 10.0.0.1 "rm dir/newer" && ! test -e served/dir/newer'
    check 'ftpd and lftp: directories' 'lines 10.0.0.1 "mkdir made; cd made; pwd" && test -d served/made && lines 10.0.0.1 "rmdir made" && ! test -d served/made'
    check 'ftpd and lftp: a tree' 'rm -rf tree && mkdir -p tree/a/b && echo x >tree/a/b/c && lines 10.0.0.1 "mirror -R tree up" && cmp tree/a/b/c served/up/a/b/c && lines 10.0.0.1 "mirror up down" && cmp tree/a/b/c down/a/b/c'
    check 'ftpd and lftp: passive off' 'rm -f got && lines 10.0.0.1 "set ftp:passive-mode off; get file -o got" && cmp got served/file'
    check 'ftpd and lftp: MLSD' 'lines 10.0.0.1 "set ftp:use-mlsd yes; cls -1" && grep -qx file said'
    check 'ftpd and curl: a list and a file' 'on curl -s $url/ | grep -q file && on curl -s $url/file | cmp - served/file'
    check 'ftpd and curl: IPv6' 'on curl -s -g "ftp://[2001:db8::1]/file" | cmp - served/file'
    check 'ftpd and curl: a range' 'test "$(on curl -s -r 0-3 $url/file | xxd -p)" = 310a320a'
    check 'ftpd and curl: active' 'on curl -s -P - $url/file | cmp - served/file'
    check 'ftpd and curl: upload and append' 'on curl -s -T served/lines $url/up2 && on curl -s -a -T served/lines $url/up2 && test $(wc -l <served/up2) = 4'
    check 'ftpd and curl: text' 'on curl -s -B $url/lines | cmp - served/lines'
    check 'ftpd and curl: time and size' 'on curl -s -I $url/file | grep -q "Content-Length: $(stat -c %s served/file)"'
    check 'ftpd and curl: no such file' '! on curl -s $url/none'
    check 'ftpd and curl: writing is forbidden' '! on curl -s -g -T served/lines "ftp://[2001:db8::1]/no"'
    check 'ftpd and ftpget, ftpput of rbox' 'on /run/bin/ftpget 10.0.0.1 got file 2>said && cmp got served/file && on /run/bin/ftpput 10.0.0.1 up3 got 2>said && cmp served/up3 got'
    end
}

test_tftp() {
    numbered
    mkdir -p tftp
    chmod 777 tftp
    seq 1 50000 >tftp/file
    head -c 1024 /dev/urandom >tftp/even
    printf 'one\ntwo\n' >tftp/lines
    start in.tftpd -L -c -s -u nobody -a 10.0.0.1:69 /run/work/tftp
    server=$last
    listens 69
    get() {
        on timeout 20 /run/bin/tftp "$@" 2>said
    }
    check 'tftp and tftpd-hpa: a file' 'get -g -r file -l got 10.0.0.1 && cmp got tftp/file'
    check 'tftp and tftpd-hpa: large blocks' 'get -g -b 1428 -r file -l got 10.0.0.1 && cmp got tftp/file'
    check 'tftp and tftpd-hpa: a whole number of blocks' 'get -g -r even -l got 10.0.0.1 && cmp got tftp/even'
    check 'tftp and tftpd-hpa: put' 'get -p -l tftp/file -r put 10.0.0.1 && cmp tftp/put tftp/file'
    check 'tftp and tftpd-hpa: no such file' '! get -g -r none -l none 10.0.0.1 && grep -qi "not found" said'
    kill $server
    wait $server 2>/dev/null
    start /run/bin/udpsvd -E 10.0.0.1 69 /run/bin/tftpd -c tftp
    listens 69
    tftp_hpa() {
        on timeout 20 /usr/bin/tftp -m "$1" 10.0.0.1 -c "$2" "$3" "$4" >said 2>&1
    }
    check 'tftpd and tftp-hpa: a file' 'rm -f got; tftp_hpa binary get file got; cmp got tftp/file'
    check 'tftpd and tftp-hpa: a whole number of blocks' 'rm -f got; tftp_hpa binary get even got; cmp got tftp/even'
    check 'tftpd and tftp-hpa: put' 'tftp_hpa binary put got put2; cmp got tftp/put2'
    check 'tftpd and tftp-hpa: lines' 'rm -f got; tftp_hpa netascii get lines got; cmp got tftp/lines'
    check 'tftpd and tftp-hpa: put lines' 'tftp_hpa netascii put got put3; cmp got tftp/put3'
    check 'tftpd and tftp-hpa: no such file' 'tftp_hpa binary get none none; grep -qi "error" said'
    check 'tftpd and curl' 'on curl -s -m 20 tftp://10.0.0.1/file | cmp - tftp/file'
    check 'tftpd and curl: large blocks' 'on curl -s -m 20 --tftp-blksize 1428 tftp://10.0.0.1/file | cmp - tftp/file'
    check 'tftpd and tftp of rbox' 'get -g -r file -l got 10.0.0.1 && cmp got tftp/file'
    end
}

test_telnetd() {
    numbered
    mount --bind /run/etc /etc
    printf '#!/bin/sh\nPS1="ready> " exec /bin/sh -i\n' >shell
    chmod 755 shell
    start /run/bin/telnetd -F -l /run/work/shell -f /dev/null
    listens 23
    # What is typed waits for the prompt before it.
    : >said
    check 'telnetd and inetutils: a session' '(await "grep -q ready said"; echo "echo \$((6 * 7)); tty; exit"; await "grep -q ^42 said"; sleep 1) | on telnet 10.0.0.1 >said 2>&1; grep -q "^42" said && grep -q "^/dev/pts/" said'
    end
}

for check; do
    test_$check
done
exit $failed
