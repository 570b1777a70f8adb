// The types of that module which an extension vault makes, with the constructors it documents: PowerShell finds them
// by name in whatever assembly is loaded.
namespace Microsoft.PowerShell.SecretManagement;

public enum SecretType
{
    Unknown,
    ByteArray,
    String,
    SecureString,
    PSCredential,
    Hashtable,
}
