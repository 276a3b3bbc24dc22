import pytest

from schemas.notifications import WEBHOOK_URL_CHARS_MAX
from sinks.webhook_address import WebhookUrlError, check_url, is_public

PRIVATE = (
    *("127.0.0.1", "127.9.9.9", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::"),
    *("2001::1", "2606:4700::1%eth0"),
)
PUBLIC = ("1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::")


@pytest.mark.parametrize("address", PRIVATE)
def test_our_own_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_others_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://hooks.example.com:8443/transfers?of=us",
        "https://93.184.215.14/",
        "https://[2606:4700:4700::1111]:443/",
        "https://xn--mnchen-3ya.example./hook",
    ],
)
def test_takes_https_at_public_places(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "http://example.com/", "ftp://example.com/", "https:///hook", "//example.com"),
        *("https://ada:pw@example.com/", "https://@example.com/", "https://example.com/#part", "https://example.com/#"),
        *("https://example.com:0/", "https://example.com:65536/", "https://example.com:x/", "https://example.com:/"),
        *("https://localhost/", "https://LOCALHOST./", "https://api.localhost/", "https://[::1]/", "https://[::1/"),
        *("https://127.0.0.1/", "https://169.254.169.254/latest", "https://10.0.0.1:8443/", "https://[fe80::1%25e]/"),
        *("https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://1.2.3.4./"),
        *(
            "https://exa mple.com/",
            "https://example.com\\@localhost/",
            "https://example.com/\n",
            "\thttps://a.example/",
        ),
        *("https://münchen.example/", "https://a..example/", "https://-a.example/", "https://a%2eb.example/"),
        "https://example.com/" + "a" * WEBHOOK_URL_CHARS_MAX,
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
    ],
)
def test_refuses_whatever_else(url: str) -> None:
    with pytest.raises(WebhookUrlError) as caught:
        check_url(url)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "http://localhost/", "https://[::1]/"])
def test_private_places_where_it_is_told_so(url: str) -> None:
    with pytest.raises(WebhookUrlError):
        check_url(url)
    check_url(url, private_ok=True)


@pytest.mark.parametrize("url", ["ftp://localhost/", "http://ada:pw@localhost/", "http://127.1/", "file:///etc/passwd"])
def test_no_more_than_that(url: str) -> None:
    with pytest.raises(WebhookUrlError):
        check_url(url, private_ok=True)
